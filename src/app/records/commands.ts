import type { Command } from 'commander';
import { lazily, withPipelineOptions } from '../options/options.ts';

const explainExamples = `
Shows what differs from the last run, or from the run that --against names. Name it by: last, the beginning of a fingerprint or of a commit,
a time in UTC (the latest run up to then), a profile, another instance, or a file with a record, such as a colleague's.

Examples:
  $ repro explain train@baseline,2020
  $ repro explain train@baseline,2020 --list
  $ repro explain train@baseline,2020 --against 3f9a1c
  $ repro explain frames --against 2026-11-20
  $ repro explain train --against full --json`;

const checkExamples = `
Fails if the results of the last run contradict a published claim, or are worse than the committed baseline in configs/baselines. It
compares frames, learning rates, losses, spike rates, time constants, the chosen epoch and accuracy, but no times. With the engine of
the baseline, numbers must be equal; with another one, rows show how much may differ. docs/check.md lists every tolerance.

With --no-data, it needs neither results nor data. It checks that the baseline has the models, seeds and settings of the present
configuration.

Exits with 4 if something fails, with 3 if results are not up to date, and with 2 if the check cannot be made, for example because the
baseline is damaged.

Examples:
  $ repro check
  $ repro check --profile full --json
  $ repro check --set train.epochs=4
  $ repro check --no-data --profile control`;

const baselineExamples = `
\`repro check\` compares later runs with the baseline. If results are meant to change, update it, and commit it with that change:
the file has a line for each fact, so git shows what changes.

Examples:
  $ repro baseline update
  $ repro baseline update --profile full --set dataset.root=/data/DvsGesture`;

const compareExamples = `
Name a run by: a model, model,seed or an instance (its last run), last, a profile, the beginning of a fingerprint or a commit, or a time in
UTC (the latest run of each network up to then). Networks are paired by model and seed. If each side has only one model, they are paired by
seed; if each has only one seed, by model. Results of earlier runs are read from the cache.

Shows the settings that differ, then the difference in test accuracy, B - A, with its interval and p, for other seeds and people, if the
recordings are the same; with one training on each side, for these trainings. docs/check.md explains it.

Examples:
  $ repro compare baseline no-reg
  $ repro compare baseline,2020 baseline,2021
  $ repro compare 2020 2021                        two seeds of all models
  $ repro compare 3f9a1c2 last                     a commit and now
  $ repro compare 2026-11-20 last --only baseline
  $ repro compare 3f9a1c2 last --json`;

/** Adds the commands that tell what results were made from, and compare them. */
export function addRecordCommands(program: Command): void {
  withPipelineOptions(program.command('explain'))
    .description('show exactly what makes a stage stale')
    .argument('<stage>', 'a stage or an instance, such as train@baseline,2020')
    .option('--against <run>', 'compare with another recorded run', 'last')
    .option('--list', 'list the recorded runs instead')
    .option('--json', 'print one JSON document')
    .addHelpText('after', explainExamples)
    .action(lazily(async () => (await import('./explain.ts')).explain));

  withPipelineOptions(program.command('check'))
    .description('check results against the published claims and the committed baseline')
    .option('--no-data', 'check only that the baseline fits this configuration, without results and data')
    .option('--json', 'print one JSON document')
    .addHelpText('after', checkExamples)
    .action(lazily(async () => (await import('./check.ts')).check));

  const baseline = program
    .command('baseline')
    .description('what later runs of a profile are compared with')
    .addHelpText('after', '\nExample:\n  $ repro baseline update');
  withPipelineOptions(baseline.command('update'))
    .description('write the baseline of a profile from the last run')
    .option('--json', 'print one JSON document')
    .addHelpText('after', baselineExamples)
    .action(lazily(async () => (await import('./baseline.ts')).updateBaseline));

  withPipelineOptions(program.command('compare'))
    .description('compare the settings and results of two recorded runs, models or seeds, with tests')
    .argument('<run-a>', 'a model, an instance, a fingerprint, a commit, a time, a profile or last')
    .argument('<run-b>', 'another one')
    .option('--only <model[,seed]>', 'compare only this model, or this seed of it')
    .option('--json', 'print one JSON document')
    .addHelpText('after', compareExamples)
    .action(lazily(async () => (await import('./compare.ts')).compareNamed));
}
