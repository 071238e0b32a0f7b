import { Command, Option } from 'commander';
import { addCacheCommands } from './cache/commands.ts';
import { addCheckpointCommands } from './checkpoints/commands.ts';
import { addClusterCommands } from './cluster/commands.ts';
import { addDataCommands } from './data/commands.ts';
import { addDoctorCommands } from './doctor/commands.ts';
import { addExportCommands } from './export/commands.ts';
import { describeJudgeCommand } from './judge/commands.ts';
import { addOriginalCommands } from './original/commands.ts';
import { runCommandLine } from './process/command-line.ts';
import { addRecordCommands } from './records/commands.ts';
import { addRunCommands } from './run/commands.ts';

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
    .addHelpText('after', programExamples);

  addRunCommands(program);
  if (first === 'run') return program;
  addClusterCommands(program);
  addRecordCommands(program);
  describeJudgeCommand(program.command('judge'), 'repro judge');
  addDoctorCommands(program);
  addDataCommands(program);
  addCacheCommands(program);
  addExportCommands(program);
  addCheckpointCommands(program);
  addOriginalCommands(program);
  return program;
}

declare const PACKAGE_VERSION: string;

export async function main(argv: readonly string[]): Promise<void> {
  await runCommandLine(buildProgram(PACKAGE_VERSION, argv[2]), argv);
}
