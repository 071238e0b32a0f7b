import type { CsvValue } from '../../formats/csv.ts';
import type { ModelResult, Results, RunResult } from '../data/results.ts';

/**
 * The rows of a figure's CSV, each with model and seed in front.
 *
 * @param rowsOf the rows of a run
 * @param loggedOf values of the authors' logs, which follow those of a model and have no seed
 */
export function tabulateRuns(
  { models }: Pick<Results, 'models'>,
  columns: readonly string[],
  rowsOf: (run: RunResult, model: ModelResult) => readonly (readonly CsvValue[])[],
  loggedOf: (model: ModelResult) => readonly (readonly CsvValue[])[] = () => [],
): CsvValue[][] {
  return [
    ['model', 'seed', ...columns],
    ...models.flatMap((model) => [
      ...model.runs.flatMap((run) => rowsOf(run, model).map((row) => [model.id, run.seed, ...row])),
      ...loggedOf(model).map((row) => [model.id, null, ...row]),
    ]),
  ];
}
