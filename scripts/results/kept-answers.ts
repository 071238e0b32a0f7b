// The answers that results/ keeps, and its other tables.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Papa from 'papaparse';
import type { AnswerTable } from '../../src/verdicts/answers.ts';

/** The answers.csv of a kept result. @param classes that count; all if there are none */
export function readAnswerTable(root: string, profile: string, classes: readonly number[] = []): AnswerTable {
  const rows = readRecords(path.join(root, 'results', profile, 'answers.csv'));
  const clips = rows.filter((row) => classes.length === 0 || classes.includes(Number(row.class)));
  const arms = new Map<string, Map<string, Map<string, number>>>();
  for (const column of Object.keys(rows[0] ?? {}).slice(3)) {
    const [model = '', seed = ''] = column.split('@');
    // With folds, a training tests some of the clips.
    const tested = clips.filter((row) => row[column] !== '');
    const answers = new Map(tested.map((row) => [row.clip!, Number(row[column])]));
    arms.set(model, (arms.get(model) ?? new Map()).set(seed, answers));
  }
  const groups = new Map(clips.map((row) => [row.clip!, row.user || row.clip!]));
  return { isScore: false, hasGroups: clips.some(({ user }) => user !== ''), arms, groups };
}

/** The rows of a CSV file by column. */
export function readRecords(file: string): Record<string, string>[] {
  const options = { header: true, skipEmptyLines: true } as const;
  return Papa.parse<Record<string, string>>(readFileSync(file, 'utf8'), options).data;
}
