import type { Command } from 'commander';

const attachExamples = `
Continues the last \`repro run --executor slurm\` of this project, with its stages, profile and settings: after --detach, Ctrl-C, or if the
runner was killed. It reports failed jobs and does not submit them again; \`repro run --executor slurm\` does.

Example:
  $ repro attach`;

const cancelExamples = `
Jobs that wait for a cancelled one end, too. Without names, a run that is still submitting stops. Stages that can be resumed keep what they
have saved. \`repro attach\` does not submit cancelled jobs again.

Examples:
  $ repro cancel
  $ repro cancel train
  $ repro cancel train@baseline,2020`;

/** Adds the commands for jobs on a cluster. */
export function addClusterCommands(program: Command): void {
  program
    .command('attach')
    .description('continue a run on a cluster: wait for its jobs')
    .option('--json', 'print the outcome to stdout as one JSON document')
    .addHelpText('after', attachExamples)
    .action(async (options) => (await import('./jobs.ts')).attach({ ...program.opts(), ...options }));

  program
    .command('cancel')
    .description('cancel the jobs of a run on a cluster')
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
