// What the tests of pages on results have in common: reading results/ and writing numbers as the pages do.

import type { AnswerTable } from '../../src/verdicts/answers.ts';
import { formatBareRange } from '../../src/verdicts/words.ts';
import { parseRecords } from '../support/csv-records.ts';
import { readPage } from './pages.ts';

export interface Arm {
  readonly model: string;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  readonly verdict: string;
}

export interface BaselineRun {
  readonly model: string;
  readonly seed: number;
  readonly layers: readonly { readonly tauMeans: number[] }[];
  readonly test: { readonly clips: number; readonly wrong: readonly number[] };
}

/** A page without its line breaks. */
export const readLine = (page: string) => readPage(page).replace(/\s+/g, ' ');

/** Rounded as in a report. */
export const points = (difference: number) => (Math.abs(Math.round(1000 * difference)) / 10).toFixed(1);

export function readChanges(file: string) {
  return parseRecords(readPage(`results/${file}`))
    .filter(({ change }) => change !== 'unchanged')
    .map(({ model, change, difference, p_holm: p }) => ({
      ...{ model, change, difference: Number(difference), isSure: Number(p) <= 0.05 },
    }));
}

/** The answers of a kept result. @param classes that count; all if there are none */
export function tableOf(profile: string, classes: readonly number[] = []): AnswerTable {
  const rows = parseRecords(readPage(`results/${profile}/answers.csv`));
  const clips = rows.filter((row) => classes.length === 0 || classes.includes(Number(row.class)));
  const arms = new Map<string, Map<string, Map<string, number>>>();
  for (const column of rows.columns.slice(3)) {
    const [model = '', seed = ''] = column.split('@');
    const tested = clips.filter((row) => row[column] !== '');
    const answers = new Map(tested.map((row) => [row.clip!, Number(row[column])]));
    arms.set(model, (arms.get(model) ?? new Map()).set(seed, answers));
  }
  const groups = new Map(clips.map((row) => [row.clip!, row.user || row.clip!]));
  return { isScore: false, hasGroups: clips.some(({ user }) => user !== ''), arms, groups };
}

/** The arms of a kept question by their model. */
export function armsOf(profile: string): Record<string, Arm> {
  const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
  return Object.fromEntries(question.arms.map((arm: Arm) => [arm.model, arm]));
}

/** The share of right answers in all of a model's trainings. */
export function percentOf(
  profile: string,
  model: string,
  counts: (clip: Record<string, string>) => boolean = () => true,
): string {
  const rows = parseRecords(readPage(`results/${profile}/answers.csv`));
  const clips = Object.assign(rows.filter(counts), { columns: rows.columns });
  const runs = clips.columns.filter((name) => name.startsWith(`${model}@`));
  // With folds, a training tests some of the clips.
  const answers = clips.flatMap((clip) => runs.map((run) => clip[run]).filter((answer) => answer !== ''));
  return ((100 * answers.filter((answer) => answer === '1').length) / answers.length).toFixed(1);
}

export function intervalOf({ low, high }: Pick<Arm, 'low' | 'high'>): string {
  return formatBareRange({ low, high }).replaceAll('\u00a0', ' ');
}

/** The smallest and the largest loss, in points. */
export function rangeOf(losses: readonly { readonly difference: number }[]): string {
  const sorted = losses.map(({ difference }) => -difference).sort((a, b) => a - b);
  return `${points(sorted[0]!)} to ${points(sorted.at(-1)!)}`;
}
