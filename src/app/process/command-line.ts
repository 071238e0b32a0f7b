import process from 'node:process';
import type { Command } from 'commander';
import { describeError } from '../../base/errors.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import { toLines } from '../view/print.ts';
import { exitCode, exitCodeOf } from './ending.ts';

/** Runs one command line. Sets the exit code instead of exiting, so that stdout drains into slow pipes. */
export async function runCommandLine(program: Command, argv: readonly string[]): Promise<void> {
  handleOutputErrors();
  program.configureOutput({ outputError: (text, write) => write(toLines(text).join('\n')) });
  program.exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCode.ok : exitCode.usage);
  });
  inheritSettings(program);
  pointToOwnHelp(program);
  try {
    await program.parseAsync(argv);
  } catch (thrown) {
    const error = explainDiskError(thrown);
    // It may quote names of files and values, which may contain anything.
    process.stderr.write(`${toLines(describeError(error)).join('\n')}\n`);
    if (program.opts().debug === true && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = exitCodeOf(error);
  }
}

/** Commands copy their parent's settings when they are created, which is before these were made. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

/** Makes usage errors of a command point to that command's own help, and likewise for its subcommands. */
export function pointToOwnHelp(command: Command, path = command.name()): void {
  const what = command.commands.length > 0 ? 'lists the commands' : 'describes its options';
  command.showHelpAfterError(`(${path} --help ${what})`);
  for (const one of command.commands) pointToOwnHelp(one, `${path} ${one.name()}`);
}

/** Decides for the whole process what happens when stdout or stderr cannot be written. */
function handleOutputErrors(): void {
  process.stdout.on('error', endWithoutOutput);
  // `repro run 2>&1 | head` closes stderr, or the disk of a log is full: the run continues without it.
  process.stderr.on('error', () => {});
}

/** A closed pipe, as in `repro logs train | head`, is not an error; a full disk is one. */
function endWithoutOutput(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(exitCode.ok);
  const explained = explainDiskError(error, { doing: 'the output could not be written' });
  process.stderr.write(`${describeError(explained)}\n`);
  process.exit(exitCode.stageFailed);
}
