import type { Command } from 'commander';
import { lazily } from '../options/options.ts';

const attachExamples = `
Follows a run that \`repro run --executor slurm --detach\` started. After Ctrl-C, or if the runner was killed, it continues the last run on a
cluster here, with its stages, profile and settings: it waits for jobs that still run, and records the results of jobs that have ended.

Example:
  $ repro attach`;

const cancelExamples = `
Without names, the job of --detach ends, too. What depends on a cancelled stage does not run. Stages that can be resumed keep what they have
saved. \`repro attach\` does not submit cancelled stages again.

Examples:
  $ repro cancel
  $ repro cancel train
  $ repro cancel train@baseline,2020`;

/** Adds the commands for jobs on a cluster. */
export function addClusterCommands(program: Command): void {
  program
    .command('attach')
    .description('follow a run on a cluster, or continue it')
    .option('--json', 'print the outcome to stdout as one JSON document')
    .addHelpText('after', attachExamples)
    .action(lazily(async () => (await import('./jobs.ts')).attach));

  program
    .command('cancel')
    .description('cancel the jobs of a run on a cluster')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', cancelExamples)
    .action(lazily(async () => (await import('./jobs.ts')).cancel));

  program
    .command('stage-job', { hidden: true })
    .description('what a job on a cluster runs')
    .argument('<name>', 'of its submission')
    .argument('<folder>', 'the folder of the job')
    .action(async (name, folder) => (await import('./jobs.ts')).stageJob(name, folder));

  program
    .command('driver-job', { hidden: true })
    .description('what the job of --detach runs')
    .argument('<folder>', "the cache's folder of jobs")
    .action(async (folder) => (await import('./jobs.ts')).driverJob(folder));
}
