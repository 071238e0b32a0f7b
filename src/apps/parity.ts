import { describeEngine } from '../engines/engine.ts';
import { openNamedEngine } from '../engines/selection/engines.ts';
import { ReproError } from '../errors.ts';
import { openCaseFolder } from '../parity/folder.ts';
import { describeRun, formatTable, formatTotals, hasPassed } from '../parity/report.ts';
import { type CaseOutcome, listCases, listStrayFiles, runSuite } from '../parity/suite.ts';
import { suggestName } from '../schema/closest-name.ts';

/** What comparing this program's results with PyTorch's gave. */
export interface ParityRun {
  readonly hasPassed: boolean;
  /** Files that no case in index.json names. */
  readonly strayFiles: readonly string[];
  /** The engine, in words. */
  readonly engine: string;
  /** Of `--json`. */
  readonly document: object;
  /** A row for each case. */
  table(marks: Marks): string;
  totals(marks: Marks): string;
}

/** Colours for what passed and failed. */
type Marks = Parameters<typeof formatTable>[1];

/**
 * Compares this program's results with the vectors of PyTorch in a folder.
 *
 * @param folderName as the user named it
 * @param options.cases empty means all
 * @param options.onDone called after each case
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
): Promise<ParityRun> {
  const folder = await openCaseFolder(options.folder);
  const names = await listCases(folder);
  // An index without cases fails the suite, whichever cases were requested.
  if (names.length > 0) checkNames(options.cases, names);
  const engine = await openNamedEngine(options.engine, { threads: options.threads });
  const chosen = options.cases.length > 0 ? options.cases : undefined;
  const outcomes: CaseOutcome[] = [];
  for await (const outcome of runSuite(folder, engine, chosen)) {
    outcomes.push(outcome);
    options.onDone(outcome.name, outcomes.length, chosen?.length ?? names.length);
  }
  const strayFiles = await listStrayFiles(folder);
  const { description } = engine;
  return {
    hasPassed: hasPassed(outcomes),
    strayFiles,
    engine: describeEngine(description),
    document: describeRun({
      folder: folderName,
      choice: options.engine,
      engine: description,
      outcomes,
      strayFiles,
    }),
    table: (marks) => formatTable(outcomes, marks),
    totals: (marks) => formatTotals(outcomes, marks),
  };
}

function checkNames(wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ReproError('parity-case', `index.json has no case "${unknown}".`, {
    fix: suggestName(unknown, known),
  });
}
