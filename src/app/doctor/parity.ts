import path from 'node:path';
import process from 'node:process';
import { exitCode } from '../process/ending.ts';
import { formatSeconds } from '../view/format.ts';
import { colorsFor, printJson } from '../view/print.ts';
import { runParity } from './cases.ts';

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
  const run = await runParity(folderName, {
    folder: path.resolve(folderName),
    engine: options.engine,
    threads: options.threads,
    cases: options.case,
    onDone: reportProgress(),
  });
  if (!run.hasPassed) process.exitCode = exitCode.stageFailed;
  if (options.json === true) {
    printJson(run.document);
    return;
  }
  const { green, red } = colorsFor(process.stdout);
  const marks = { pass: green, fail: red };
  process.stdout.write(run.table(marks));
  if (!run.hasPassed) {
    process.stdout.write('\ndocs/parity.md explains this output and what a folder must contain.\n');
  }
  const seconds = formatSeconds((performance.now() - startedMs) / 1000);
  process.stdout.write(`\n${run.engine}; ${seconds}\n${run.totals(marks)}`);
}

function reportProgress(): (name: string, done: number, total: number) => void {
  let lastMs = performance.now();
  return (name, done, total) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < progressSeconds * 1000 || done === total) return;
    lastMs = nowMs;
    process.stderr.write(`parity: ${done} of ${total} cases done, last: ${name}\n`);
  };
}
