import { SectionReader } from './section-reader.ts';
import type { SettingOrigins } from './setting-origins.ts';

/**
 * Where the paper, the published code and the published runs disagree: one switch each. docs/deviations.md gives the
 * evidence for each disagreement, and what its switch changes. The names are those of the original's Python, so that they can be
 * looked up there.
 */
export interface Compat {
  /** 1. Which training recordings count: all 98, or the first 88 of `trials_to_train.txt`, which the original's converter reached. */
  readonly trials: 'all' | 'first-88';
  /** 2. Whether the network is told that each neuron has its own τ: the published script never passes that on. */
  readonly tau_per_neuron: 'passed' | 'dropped';
  /** 3. Batches of what the model's file says (documented: 16), or of 32, which the steps in the published logs show. */
  readonly batch_size: 'documented' | 'logged';
  /** 4. τ's start where each neuron has its own: LogNormal(mean, σ) as the code draws it, or 1 + LogNormal(mean − 1, σ) as the paper says. */
  readonly tau_init: 'code' | 'paper';
  /** 5. What λ's regulariser takes the variance of: w (the code) or τ (the paper). */
  readonly regularise: 'w' | 'tau';
  /** 6. Whether a τ shared by a layer starts at the configured mean, or at 2 whatever was asked for. */
  readonly base_tau: 'configured' | 'always-2';
  /** 7. Whether each epoch is validated on all held-back clips, or on the whole batches of a new random order of them. */
  readonly validation: 'all' | 'shuffled-drop-last';
  /** 8. What chooses the epoch that is kept: validation accuracy (the latest of ties), or accuracy on the test clips themselves. */
  readonly selection: 'validation' | 'best-test';
  /** 9. The surrogate derivative: the configured one (arctan), or the sigmoid that the paper names once. */
  readonly surrogate: 'configured' | 'sigmoid';
  /** 10. The order of the training clips before they are split: sorted, or one drawn at random in place of a directory listing. */
  readonly file_order: 'sorted' | 'shuffled';
}

/** What each switch can be set to, in the order of docs/deviations.md; the first is the default. */
export const COMPAT_CHOICES: { readonly [K in keyof Compat]: readonly [Compat[K], ...Compat[K][]] } = {
  trials: ['all', 'first-88'],
  tau_per_neuron: ['passed', 'dropped'],
  batch_size: ['documented', 'logged'],
  tau_init: ['code', 'paper'],
  regularise: ['w', 'tau'],
  base_tau: ['configured', 'always-2'],
  validation: ['all', 'shuffled-drop-last'],
  selection: ['validation', 'best-test'],
  surrogate: ['configured', 'sigmoid'],
  file_order: ['sorted', 'shuffled'],
};

/** The intent of the thesis; what holds where a configuration says nothing. */
export const COMPAT_DEFAULTS: Compat = {
  trials: 'all',
  tau_per_neuron: 'passed',
  batch_size: 'documented',
  tau_init: 'code',
  regularise: 'w',
  base_tau: 'configured',
  validation: 'all',
  selection: 'validation',
  surrogate: 'configured',
  file_order: 'sorted',
};

/**
 * Reads a `compat:` section; what it leaves out is as in `COMPAT_DEFAULTS`.
 *
 * @throws {ReproError} `model-invalid` for an unknown switch or setting, with those that there are
 */
export function readCompat(section: unknown, origins: SettingOrigins): Compat {
  const read = new SectionReader(origins, section, 'compat.');
  read.only(Object.keys(COMPAT_CHOICES));
  const choose = <K extends keyof Compat>(key: K): Compat[K] =>
    read.choice<Compat[K]>(key, COMPAT_CHOICES[key], COMPAT_DEFAULTS[key]);
  return {
    trials: choose('trials'),
    tau_per_neuron: choose('tau_per_neuron'),
    batch_size: choose('batch_size'),
    tau_init: choose('tau_init'),
    regularise: choose('regularise'),
    base_tau: choose('base_tau'),
    validation: choose('validation'),
    selection: choose('selection'),
    surrogate: choose('surrogate'),
    file_order: choose('file_order'),
  };
}

/** The switches that are not as by default: `trials=first-88, tau_init=paper`, or `none`. */
export function describeCompat(compat: Compat): string {
  const set = switchNames()
    .filter((key) => compat[key] !== COMPAT_DEFAULTS[key])
    .map((key) => `${key}=${compat[key]}`);
  return set.length === 0 ? 'none' : set.join(', ');
}

function switchNames(): (keyof Compat)[] {
  return Object.keys(COMPAT_CHOICES) as (keyof Compat)[];
}
