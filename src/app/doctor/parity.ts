import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { suggestName } from '../../base/schema/closest-name.ts';
import { openCaseFolder } from '../../exchange/parity/given-case.ts';
import { describeOutcomes, formatTable, formatTotals, hasPassed } from '../../exchange/parity/report.ts';
import { type CaseOutcome, listCases, runSuite } from '../../exchange/parity/suite.ts';
import { describeEngine } from '../../network/engines/engine.ts';
import { openNamedEngine } from '../../network/engines/selection/engines.ts';
import { exitCode } from '../process/ending.ts';
import { formatSeconds } from '../view/format.ts';
import { colorsFor, printJson } from '../view/print.ts';

interface ParityOptions {
  readonly engine: string;
  readonly threads?: number;
  /** Empty means all. */
  readonly case: readonly string[];
  readonly json?: boolean;
}

/** How often to print a line of progress to stderr. */
const progressSeconds = 10;

/** `repro parity`: compares this program's results with those of PyTorch in a folder. Exit code 1 if any differs. */
export async function parity(folderName: string, options: ParityOptions): Promise<void> {
  const startedMs = performance.now();
  const folder = await openCaseFolder(path.resolve(folderName));
  const names = await listCases(folder);
  // An index without cases fails the suite in any case.
  if (names.length > 0) checkNames(options.case, names);
  const engine = await openNamedEngine(options.engine, { threads: options.threads });
  const chosen = options.case.length > 0 ? options.case : undefined;
  const outcomes: CaseOutcome[] = [];
  const report = reportProgress(chosen?.length ?? names.length);
  for await (const outcome of runSuite(folder, engine, chosen)) {
    outcomes.push(outcome);
    report(outcome.name, outcomes.length);
  }
  const { description } = engine;
  if (!hasPassed(outcomes)) process.exitCode = exitCode.stageFailed;
  if (options.json === true) {
    const engine = { choice: options.engine, ...description };
    const found = describeOutcomes(outcomes);
    printJson({ version: 1, command: 'parity', folder: folderName, engine, ...found });
    return;
  }
  const { green, red } = colorsFor(process.stdout);
  const marks = { pass: green, fail: red };
  process.stdout.write(formatTable(outcomes, marks));
  if (!hasPassed(outcomes)) {
    process.stdout.write('\ndocs/parity.md explains this output and what a folder must contain.\n');
  }
  const seconds = formatSeconds((performance.now() - startedMs) / 1000);
  process.stdout.write(`\n${describeEngine(description)}; ${seconds}\n${formatTotals(outcomes, marks)}`);
}

function reportProgress(total: number): (name: string, done: number) => void {
  let lastMs = performance.now();
  return (name, done) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < progressSeconds * 1000 || done === total) return;
    lastMs = nowMs;
    process.stderr.write(`parity: ${done} of ${total} cases done, last: ${name}\n`);
  };
}

function checkNames(wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ReproError('parity-case', `index.json has no case "${unknown}".`, {
    fix: suggestName(unknown, known),
  });
}
