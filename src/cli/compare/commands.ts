import type { Command } from 'commander';
import { lazily, withPipelineOptions } from '../options/options.ts';

const examples = `
A run is a model, model,seed or an instance (its last run), last, lock, a profile, the beginning of a fingerprint or a commit, or a time in UTC
(the latest run of each network up to then). Networks are paired by model and seed; if both sides are of one model, by seed; if of one
seed, by model. Results of earlier runs are read from the cache. Differences are B - A. Each p is McNemar's exact test on the clips that
both were tested on, if the recordings are the same: it says whether these two networks differ. Whether their settings differ takes several
seeds: the paired t test at the end.
docs/compare.md explains both.

Examples:
  $ repro compare baseline no-reg
  $ repro compare baseline,2020 baseline,2021
  $ repro compare 2020 2021                        two seeds of all models
  $ repro compare 3f9a1c2 last                     a commit and now
  $ repro compare 2026-11-20 last --only baseline
  $ repro compare lock last --profile full --json`;

/** Adds `compare`. */
export function addCompareCommands(program: Command): void {
  withPipelineOptions(program.command('compare'))
    .description('compare the settings and results of two recorded runs, models or seeds, with tests')
    .argument('<run-a>', 'a model, an instance, a fingerprint, a commit, a time, a profile, last or lock')
    .argument('<run-b>', 'another one')
    .option('--only <model[,seed]>', 'leave out all others')
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(lazily(async () => (await import('./compare.ts')).compare));
}
