import { type Command, Option } from 'commander';
import { lazily, parseGpus, type RunOptions, wholeFrom, withPipelineOptions } from '../options/options.ts';

const runExamples = `
Examples:
  $ repro run                                  everything that is not up to date
  $ repro run train                            all trainings, and what they depend on
  $ repro run train@baseline,2020              one of them
  $ repro run --from frames                    frames and everything after it
  $ repro run --until train --dry-run          what would run, and why
  $ repro run --jobs 4 --gpus 0,1              four stages at once, on two GPUs
  $ repro run --profile full --executor slurm --detach     on a cluster, in a job of its own
  $ repro run --profile full --executor slurm --dry-run    the scripts that would be submitted
  $ repro run --fail-fast                      start nothing more after a failure
  $ repro run --profile full --set dataset.root=/data/DvsGesture
  $ repro run --pull --remote s3://lab-cache/plif    fetch results that others have computed`;

const statusExamples = `
Without stages, this also shows how much is left of a run that is under way, and what the finished seeds say of the profile's question.
While a run on a cluster is under way, this shows that run, unless --profile or --set names another. Jobs of other runs are listed below.

Example:
  $ repro status --profile full --exit-code`;

const jobsOption = [
  '-j, --jobs <n>',
  'maximum number of stages to run at once (default: the number of cores)',
  wholeFrom(1),
] as const;

export function addRunCommands(program: Command): void {
  withPipelineOptions(program.command('run'))
    .description('run stages that are not up to date, and what they depend on')
    .argument('[stage...]', 'stages or instances, such as train or train@baseline,2020 (default: all)')
    .option('--from <stage>', 'this stage and everything after it')
    .option('--until <stage>', 'this stage and everything it depends on')
    .option('-f, --force', 'run the named stages (or all) even if they are up to date')
    .option('-n, --dry-run', 'show what would run, and why, without running anything')
    .option(...jobsOption)
    .option('--fail-fast', 'after a failure, start no more stages; let running ones finish')
    .addOption(
      new Option(
        '--gpus <ids>',
        'the GPUs that stages may use, as in 0,1 (default: those in CUDA_VISIBLE_DEVICES, else all)',
      ).argParser(parseGpus),
    )
    .addOption(
      new Option('--executor <name>', 'where stages run: on this machine, or as jobs of Slurm')
        .choices(['local', 'slurm'])
        .default('local'),
    )
    .option(
      '--detach',
      'with --executor slurm: run in a small job of its own, and return at once; `repro attach` shows the run',
    )
    .option('--json', 'print the outcome to stdout as one JSON document')
    .option('--pull', 'fetch results that the remote cache has, instead of running those stages')
    .option('--remote <address>', 'the remote cache for --pull (default: `cache.remote` in pipeline.yaml)')
    .addHelpText('after', runExamples)
    .action(
      lazily(async () => {
        const { loadCheckedPlan } = await import('../project/load-plan.ts');
        const { run } = await import('./run.ts');
        return async (targets: readonly string[], options: RunOptions) =>
          run(await loadCheckedPlan(options, { ...options, targets }), targets, options);
      }),
    );

  withPipelineOptions(program.command('status'))
    .description('show which stages are up to date, and why the others are not')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--exit-code', 'exit with 3 if any stage is not up to date')
    .option('--json', 'print one JSON document')
    .addHelpText('after', statusExamples)
    .action(lazily(async () => (await import('./status.ts')).status));

  program
    .command('profiles')
    .description(
      'list the profiles: what each asks, how many networks it trains, and whether its data are here',
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro profiles')
    .action(lazily(async () => (await import('./profiles.ts')).profiles));

  withPipelineOptions(program.command('graph'))
    .description('show the stages and their dependencies')
    .option('--mermaid', 'print a Mermaid flowchart, a drawing for Markdown')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  $ repro graph --profile full\n  $ repro graph --mermaid')
    .action(lazily(async () => (await import('./last-runs.ts')).graph));

  withPipelineOptions(program.command('logs'))
    .description("print the log of a stage's last run")
    .argument('<stage>', 'a stage or an instance, such as train@baseline,2020')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro logs train@baseline,2020')
    .action(lazily(async () => (await import('./last-runs.ts')).logs));

  withPipelineOptions(program.command('timeline'))
    .description('show when each stage last ran, for how long, and with how much memory')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  $ repro timeline\n  $ repro timeline train evaluate')
    .action(lazily(async () => (await import('./timeline.ts')).timeline));

  withPipelineOptions(program.command('metrics'))
    .description('show the metrics that each stage recorded in its last run')
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro metrics train --json')
    .action(lazily(async () => (await import('./last-runs.ts')).metrics));
}
