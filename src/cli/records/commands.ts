import type { Command } from 'commander';
import { withPipelineOptions } from '../options/pipeline-options.ts';
import { parseCount } from '../options/values.ts';

const explainExamples = `
Shows what differs from the last run, or from the one that --against names: last, lock (the record in repro.lock), the beginning of
a fingerprint or of a commit, a time in UTC (the latest run up to then), a profile, another instance, or a file with a record, such
as a colleague's.

Examples:
  $ repro explain train@baseline,2020
  $ repro explain train@baseline,2020 --list
  $ repro explain train@baseline,2020 --against 3f9a1c
  $ repro explain frames --against 2026-11-20 --no-diff
  $ repro explain train --against lock --profile full --json`;

const checkExamples = `
Facts, environment variables, Node.js and the platform are not compared: they belong to the machine that computed the results. What
a stage reads from another is taken from the record of that other, and with --no-data external data from the record of the stage.
Exits with 4 if a record is missing or does not belong.

Examples:
  $ repro check --no-data
  $ repro check --profile full --json`;

/** Adds the commands that tell what results were made from. */
export function addRecordCommands(program: Command): void {
  withPipelineOptions(program.command('explain'))
    .description('show exactly what makes a stage stale, line by line for text')
    .argument('<stage>', 'a stage or an instance, such as train@baseline,2020')
    .option('--against <run>', 'compare with another recorded run', 'last')
    .option('--list', 'list the recorded runs instead')
    .option('--no-diff', 'do not show differences of texts')
    .option('--lines <n>', 'lines of each difference to show; 0 for all', parseCount, 40)
    .option('--json', 'print one JSON document')
    .addHelpText('after', explainExamples)
    .action(async (target, options) =>
      (await import('./explain.ts')).explain(target, { ...program.opts(), ...options }),
    );

  withPipelineOptions(program.command('check'))
    .description(
      'check that the committed records in repro.lock belong to the present code, configuration, packages and data',
    )
    .option('--no-data', 'do without the external data, as continuous integration has to')
    .option('--json', 'print one JSON document')
    .addHelpText('after', checkExamples)
    .action(async (options) => (await import('./check.ts')).check({ ...program.opts(), ...options }));

  withPipelineOptions(program.command('lock'))
    .description(
      'write the records of stages that are up to date to repro.lock, to be committed; `repro run` does it for the profiles under `lock:` in pipeline.yaml',
    )
    .argument('[stage...]', 'stages or instances (default: all)')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  $ repro lock --profile full')
    .action(async (targets, options) =>
      (await import('./lock.ts')).lock(targets, { ...program.opts(), ...options }),
    );
}
