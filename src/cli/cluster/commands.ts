import type { Command } from 'commander';

const attachExamples = `
Goes on with the last \`repro run --executor slurm\` of this project, with its stages, profile and settings, after --detach, Ctrl-C, or a
runner that was killed. Failures of jobs are told; \`repro run --executor slurm\` would submit these again.

Example:
  $ repro attach`;

const cancelExamples = `
Stages that can be resumed keep what they have saved. What waits for a cancelled job ends, too; without names, so does a run that is still
submitting. \`repro attach\` does not bring back what was cancelled.

Examples:
  $ repro cancel
  $ repro cancel train
  $ repro cancel train@baseline,2020`;

/** Adds the commands for jobs on a cluster. */
export function addClusterCommands(program: Command): void {
  program
    .command('attach')
    .description('wait for the jobs of a run on a cluster, and go on with it')
    .option('--json', 'print the outcome to stdout as one JSON document')
    .addHelpText('after', attachExamples)
    .action(async (options) => (await import('./jobs.ts')).attach({ ...program.opts(), ...options }));

  program
    .command('cancel')
    .description('end the jobs of a run on a cluster')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', cancelExamples)
    .action(async (targets, options) =>
      (await import('./jobs.ts')).cancel(targets, { ...program.opts(), ...options }),
    );

  program
    .command('stage-job', { hidden: true })
    .description('what a job on a cluster runs')
    .argument('<folder>', 'the folder of the submitted job')
    .argument('<index>', 'which of its tasks')
    .action(async (folder, index) => (await import('./jobs.ts')).stageJob(folder, index));
}
