import { csvParse } from 'd3-dsv';
import { ReproError } from '../errors.ts';

/** Which test clips a network got right, by a name that does not depend on their order. */
export type ClipAnswers = ReadonlyMap<string, boolean>;

/**
 * Parses predictions.csv (`split,clip,recording,user,light,class,predicted,…`). A clip is named by its recording, its class, and how many
 * of that class come before it in the recording, so that runs can be compared whose clips are numbered otherwise.
 *
 * @throws {ReproError} `compare-input`, naming the file
 */
export function readClipAnswers(file: string, text: string): ClipAnswers {
  const rows = csvParse(text);
  const missing = ['split', 'recording', 'class', 'predicted'].find(
    (column) => !rows.columns.includes(column),
  );
  if (missing !== undefined) {
    throw new ReproError('compare-input', `column "${missing}" is missing`, {
      where: file,
      fix: 'Evaluate again with this version: ./repro run evaluate --force',
    });
  }
  const answers = new Map<string, boolean>();
  const counts = new Map<string, number>();
  for (const row of rows) {
    if (row.split !== 'test') continue;
    const name = `${row.recording} class ${row.class}`;
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    answers.set(`${name} ${count}`, row.predicted === row.class);
  }
  return answers;
}
