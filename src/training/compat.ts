import { SectionReader } from './section-reader.ts';
import type { SettingOrigins } from './setting-origins.ts';

/**
 * One switch for each disagreement between the paper, the published code and the published runs. docs/deviations.md has the
 * evidence and the effect of each switch. The names follow the original's Python, so that they can be looked up there.
 */
export interface Compat {
  /** 1. Which training recordings to use: all 98, or the first 88 in `trials_to_train.txt`, which the original's converter reached. */
  readonly trials: 'all' | 'first-88';
  /** 2. Whether a request for τ per neuron reaches the network: the published script never passes it on. */
  readonly tau_per_neuron: 'passed' | 'dropped';
  /** 3. The model's batch size (in the paper 16 for the baseline, 32 for the other three), or 16 as in the documented commands. */
  readonly batch_size: 'paper' | 'documented';
  /** 4. How τ per neuron are drawn: LogNormal(mean, σ) as in the code, or 1 + LogNormal(mean − 1, σ) as in the paper. */
  readonly tau_init: 'code' | 'paper';
  /** 5. The quantity whose variance is regularised: w (the code) or τ (the paper). */
  readonly regularise: 'w' | 'tau';
  /** 6. Whether a τ shared by a layer starts at the configured mean, or always at 2. */
  readonly base_tau: 'configured' | 'always-2';
  /** 7. Whether to validate each epoch on all held-back clips, or on the whole batches of a new random order of them. */
  readonly validation: 'all' | 'shuffled-drop-last';
  /**
   * 8. Which epoch to keep: of the best accuracy on validation clips (the latest of ties), or on the test clips themselves; or the last,
   * which is all that is left to choose if no clips are held back.
   */
  readonly selection: 'validation' | 'best-test' | 'last';
  /** 9. The surrogate derivative: the configured one (arctan), or the sigmoid that the paper mentions once. */
  readonly surrogate: 'configured' | 'sigmoid';
  /** 10. The order of the training clips before they are split: sorted, or random in place of a directory listing. */
  readonly file_order: 'sorted' | 'shuffled';
  /** 11. The squared error that is minimised: of the mean rate (the code), or the mean of each step's (the paper). */
  readonly loss: 'rate' | 'step';
  /** 14. Of classes with equally many votes, the first, or the one that the original's single-precision sum happens to prefer. */
  readonly ties: 'first' | 'rounding';
}

/** The settings of each switch, in the order of docs/deviations.md; the first is the default. */
export const COMPAT_CHOICES: { readonly [K in keyof Compat]: readonly [Compat[K], ...Compat[K][]] } = {
  trials: ['all', 'first-88'],
  tau_per_neuron: ['passed', 'dropped'],
  batch_size: ['paper', 'documented'],
  tau_init: ['code', 'paper'],
  regularise: ['w', 'tau'],
  base_tau: ['configured', 'always-2'],
  validation: ['all', 'shuffled-drop-last'],
  selection: ['validation', 'best-test', 'last'],
  surrogate: ['configured', 'sigmoid'],
  file_order: ['sorted', 'shuffled'],
  loss: ['rate', 'step'],
  ties: ['first', 'rounding'],
};

/** The defaults, which follow the intent of the thesis. */
export const COMPAT_DEFAULTS: Compat = {
  trials: 'all',
  tau_per_neuron: 'passed',
  batch_size: 'paper',
  tau_init: 'code',
  regularise: 'w',
  base_tau: 'configured',
  validation: 'all',
  selection: 'validation',
  surrogate: 'configured',
  file_order: 'sorted',
  loss: 'rate',
  ties: 'first',
};

/**
 * Reads a `compat:` section; missing switches are as in `COMPAT_DEFAULTS`.
 *
 * @throws {ReproError} `model-invalid` for an unknown switch or setting, listing those that exist
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
    loss: choose('loss'),
    ties: choose('ties'),
  };
}

/** The switches that are not at their defaults: `trials=first-88, tau_init=paper`, or `none`. */
export function describeCompat(compat: Compat): string {
  const set = switchNames()
    .filter((key) => compat[key] !== COMPAT_DEFAULTS[key])
    .map((key) => `${key}=${compat[key]}`);
  return set.length === 0 ? 'none' : set.join(', ');
}

function switchNames(): (keyof Compat)[] {
  return Object.keys(COMPAT_CHOICES) as (keyof Compat)[];
}
