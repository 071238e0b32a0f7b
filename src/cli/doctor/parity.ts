import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describeEngine } from '../../engines/engine.ts';
import { openNamedEngine } from '../../engines/selection/choose-engine.ts';
import { ReproError } from '../../errors.ts';
import { openCaseFolder } from '../../parity/folder.ts';
import { describeRun, formatTable, formatTotals, hasPassed } from '../../parity/report.ts';
import { type CaseOutcome, listCases, listStrayFiles, runSuite } from '../../parity/suite.ts';
import { suggestName } from '../../schema/closest-name.ts';
import { exitCode } from '../exit-code.ts';
import { printJson } from '../load.ts';
import { colorsFor } from '../view/colors.ts';
import { formatSeconds } from '../view/format.ts';

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
  const folder = await openCaseFolder(findFolder(folderName));
  const names = await listCases(folder);
  // An index without cases fails the suite, whichever cases were requested.
  if (names.length > 0) checkNames(options.case, names);
  const engine = await openNamedEngine(options.engine, { threads: options.threads });
  const chosen = options.case.length > 0 ? options.case : undefined;
  const report = reportProgress(chosen?.length ?? names.length);
  const outcomes: CaseOutcome[] = [];
  for await (const outcome of runSuite(folder, engine, chosen)) {
    outcomes.push(outcome);
    report(outcome.name);
  }
  const strayFiles = await listStrayFiles(folder);
  if (!hasPassed(outcomes)) process.exitCode = exitCode.stageFailed;
  if (options.json === true) {
    const { description } = engine;
    printJson(
      describeRun({ folder: folderName, choice: options.engine, engine: description, outcomes, strayFiles }),
    );
    return;
  }
  const { green, red } = colorsFor(process.stdout);
  const marks = { pass: green, fail: red };
  process.stdout.write(formatTable(outcomes, marks));
  for (const file of strayFiles)
    process.stdout.write(`not compared: ${file}, which no case in index.json names\n`);
  if (!hasPassed(outcomes)) {
    process.stdout.write('\ndocs/parity.md explains this output and what a folder must contain.\n');
  }
  const seconds = formatSeconds((performance.now() - startedMs) / 1000);
  process.stdout.write(
    `\n${describeEngine(engine.description)}; ${seconds}\n${formatTotals(outcomes, marks)}`,
  );
}

/** npm runs scripts in the project's folder, but a relative path may refer to the folder where npm was called. */
function findFolder(name: string): string {
  const { INIT_CWD, npm_lifecycle_event } = process.env;
  const here = path.resolve(name);
  if (existsSync(here) || npm_lifecycle_event !== 'parity' || INIT_CWD === undefined) return here;
  const there = path.resolve(INIT_CWD, name);
  return existsSync(there) ? there : here;
}

function checkNames(wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new ReproError('parity-case', `index.json has no case "${unknown}".`, {
    fix: suggestName(unknown, known),
  });
}

function reportProgress(total: number): (name: string) => void {
  let done = 0;
  let lastMs = performance.now();
  return (name) => {
    done += 1;
    const nowMs = performance.now();
    if (nowMs - lastMs < progressSeconds * 1000 || done === total) return;
    lastMs = nowMs;
    process.stderr.write(`parity: ${done} of ${total} cases done, last: ${name}\n`);
  };
}
