import { csvParse } from 'd3-dsv';
import { ReproError } from '../../errors.ts';
import type { ClipAnswer } from '../data/results.ts';

/**
 * Parses predictions.csv (`split,clip,recording,user,light,class,predicted,…`): the answers to the test clips, by row of the clip.
 *
 * @param file name for error messages
 * @throws {ReproError} `report-input` if a column is missing, a number is none, or a clip comes twice
 */
export function readAnswers(file: string, text: string, fix: string): ClipAnswer[] {
  const fail = (problem: string): never => {
    throw new ReproError('report-input', problem, { where: file, fix });
  };
  const rows = csvParse(text);
  for (const column of ['split', 'clip', 'user', 'class', 'predicted']) {
    if (!rows.columns.includes(column)) fail(`column "${column}" is missing`);
  }
  const answers = rows.flatMap((row, index): ClipAnswer[] => {
    if (row.split !== 'test') return [];
    const count = (column: string): number => {
      const cell = row[column] ?? '';
      if (!/^\d+$/.test(cell))
        fail(`line ${index + 2}, column "${column}": expected a whole number, found "${cell}"`);
      return Number(cell);
    };
    const label = count('class');
    const user = row.user === '' || row.user === undefined ? null : row.user;
    return [{ clip: count('clip'), user, class: label, right: count('predicted') === label }];
  });
  answers.sort((a, b) => a.clip - b.clip);
  const twice = answers.find(({ clip }, i) => answers[i + 1]?.clip === clip);
  if (twice !== undefined) fail(`test clip ${twice.clip} comes twice`);
  return answers;
}
