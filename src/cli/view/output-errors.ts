import process from 'node:process';
import { describeError } from '../../errors.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { exitCode } from '../exit-code.ts';

/** Decides for the whole process what happens when stdout or stderr cannot be written. */
export function handleOutputErrors(): void {
  process.stdout.on('error', endWithoutOutput);
  // `repro run 2>&1 | head` closes our stderr, and a log's disk may fill up: nobody reads it any more, but the run goes on.
  process.stderr.on('error', () => {});
}

/** `repro logs train | head` closes our stdout, which is not an error. A document that is lost to a full disk is one. */
function endWithoutOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCode.ok);
  const explained = explainDiskError(error, { doing: 'the output could not be written' });
  process.stderr.write(`${describeError(explained)}\n`);
  process.exit(exitCode.stageFailed);
}
