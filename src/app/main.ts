import process from 'node:process';
import { Command, Option } from 'commander';
import { describeError } from '../base/errors.ts';
import { explainDiskError } from '../base/files/disk-error.ts';
import { addCacheCommands } from './cache/commands.ts';
import { addCheckpointCommands } from './checkpoints/commands.ts';
import { addClusterCommands } from './cluster/commands.ts';
import { addDataCommands } from './data/commands.ts';
import { addDoctorCommands } from './doctor/commands.ts';
import { addExportCommands } from './export/commands.ts';
import { addOriginalCommands } from './original/commands.ts';
import { exitCode, exitCodeOf } from './process/ending.ts';
import { addRecordCommands } from './records/commands.ts';
import { addRunCommands } from './run/commands.ts';
import { toLines } from './view/print.ts';

const programExamples = `
Examples:
  $ repro run                                  everything that is not up to date
  $ repro status                               what is up to date, and why the rest is not
  $ repro run train --profile full --dry-run   which trainings of another profile would run
  $ repro explain train@baseline,2020          exactly what makes a training stale`;

/**
 * All commands, with their options, help and actions.
 *
 * @param first word on the command line: to make all takes longer than to plan a small project, and `repro run` needs one
 */
export function buildProgram(version: string, first?: string): Command {
  const program = new Command('repro')
    .description(
      'Reproduces "The role of membrane time constant in the training of spiking neural networks" (Pazderka, 2024):\nruns the stages in pipeline.yaml and skips those that are up to date.',
    )
    .version(version)
    .option(
      '--project <dir>',
      'the folder that contains pipeline.yaml (default: the current folder or its nearest parent with one)',
    )
    .addOption(new Option('--debug', 'print the stack trace of an error').hideHelp())
    .addHelpText('after', programExamples)
    .configureOutput({
      outputError: (text, write) => write(toLines(text).join('\n')),
    });

  addRunCommands(program);
  if (first === 'run') return program;
  addClusterCommands(program);
  addRecordCommands(program);
  addDoctorCommands(program);
  addDataCommands(program);
  addCacheCommands(program);
  addExportCommands(program);
  addCheckpointCommands(program);
  addOriginalCommands(program);
  return program;
}

declare const PACKAGE_VERSION: string;

/** Runs one command line. Sets the exit code instead of exiting, so that stdout drains into slow pipes. */
export async function main(argv: readonly string[]): Promise<void> {
  handleOutputErrors();
  const program = buildProgram(PACKAGE_VERSION, argv[2]);
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
