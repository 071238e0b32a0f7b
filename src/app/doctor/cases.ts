import { ReproError } from '../../base/errors.ts';
import { suggestName } from '../../base/schema/closest-name.ts';
import { openCaseFolder } from '../../exchange/parity/given-case.ts';
import { describeParityRun, formatTable, formatTotals, hasPassed } from '../../exchange/parity/report.ts';
import { type CaseOutcome, listCases, runSuite } from '../../exchange/parity/suite.ts';
import { describeEngine } from '../../network/engines/engine.ts';
import { openNamedEngine } from '../../network/engines/selection/engines.ts';

/** Colours for what passed and failed. */
type Marks = Parameters<typeof formatTable>[1];

/**
 * Compares this program's results with the vectors of PyTorch in a folder.
 *
 * @param folderName as the user named it
 * @param options.cases empty means all
 * @param options.onDone called after each case
 * @returns the engine in words, the document of `--json`, and a table with a row for each case
 */
export async function runParity(
  folderName: string,
  options: {
    readonly folder: string;
    readonly engine: string;
    readonly threads: number | undefined;
    readonly cases: readonly string[];
    readonly onDone: (name: string, done: number, total: number) => void;
  },
) {
  const folder = await openCaseFolder(options.folder);
  const names = await listCases(folder);
  // An index without cases fails the suite in any case.
  if (names.length > 0) checkNames(options.cases, names);
  const engine = await openNamedEngine(options.engine, { threads: options.threads });
  const chosen = options.cases.length > 0 ? options.cases : undefined;
  const outcomes: CaseOutcome[] = [];
  for await (const outcome of runSuite(folder, engine, chosen)) {
    outcomes.push(outcome);
    options.onDone(outcome.name, outcomes.length, chosen?.length ?? names.length);
  }
  const { description } = engine;
  return {
    hasPassed: hasPassed(outcomes),
    engine: describeEngine(description),
    document: describeParityRun({
      folder: folderName,
      choice: options.engine,
      engine: description,
      outcomes,
    }),
    table: (marks: Marks) => formatTable(outcomes, marks),
    totals: (marks: Marks) => formatTotals(outcomes, marks),
  };
}

function checkNames(wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ReproError('parity-case', `index.json has no case "${unknown}".`, {
    fix: suggestName(unknown, known),
  });
}
