/** A point on which the paper, the published code and the published runs disagree; docs/deviations.md has the evidence. */
export interface Switch {
  /** Its number in docs/deviations.md. */
  readonly deviation: number;
  /** What it decides, for the report. */
  readonly decides: string;
  /** The default, which is the intent of the thesis, comes first. */
  readonly choices: readonly [Choice, Choice, ...Choice[]];
}

export interface Choice {
  readonly value: string;
  /** Its meaning, in a few words. */
  readonly means: string;
  /** Who uses it: the paper, the published code or the published runs; null if none of them does. */
  readonly of: string | null;
}

/** The switches of `compat:`, in the order of docs/deviations.md. Their names follow the original's Python, where people may look them up. */
export const COMPAT_SWITCHES = {
  trials: {
    deviation: 1,
    decides: 'Training recordings',
    choices: [
      { value: 'all', means: 'all 98 of the list', of: 'data set' },
      { value: 'first-88', means: 'the first 88 of the list', of: 'counts in the paper, published runs' },
    ],
  },
  tau_per_neuron: {
    deviation: 2,
    decides: 'Passing -tau_per_neuron on to the network',
    choices: [
      { value: 'passed', means: 'each neuron has its own τ', of: 'paper and published runs' },
      { value: 'dropped', means: 'one τ per layer', of: 'published code' },
    ],
  },
  batch_size: {
    deviation: 3,
    decides: 'Clips per batch',
    choices: [
      {
        value: 'paper',
        means: 'the model’s setting',
        of: 'paper and published runs: 32, for the baseline 16, 24 and 32 in turn',
      },
      { value: 'documented', means: '16', of: 'documented commands' },
    ],
  },
  tau_init: {
    deviation: 4,
    decides: 'Initial τ per neuron',
    choices: [
      { value: 'code', means: 'log-normal with mean μ', of: 'published code and runs' },
      { value: 'paper', means: '1 + log-normal with mean μ\u00a0−\u00a01', of: 'paper' },
    ],
  },
  regularise: {
    deviation: 5,
    decides: 'Variance that λ penalises',
    choices: [
      { value: 'w', means: 'of w, the logit of 1/\u2060τ', of: 'published code and runs' },
      { value: 'tau', means: 'of τ itself', of: 'paper' },
    ],
  },
  base_tau: {
    deviation: 6,
    decides: 'Initial τ per layer',
    choices: [
      { value: 'configured', means: 'the configured mean', of: 'argument of the published code' },
      { value: 'always-2', means: '2, whatever is configured', of: 'published code' },
    ],
  },
  validation: {
    deviation: 7,
    decides: 'Clips for validating an epoch',
    choices: [
      { value: 'all', means: 'all held-out clips', of: null },
      {
        value: 'shuffled-drop-last',
        means: 'whole batches of them, shuffled each epoch',
        of: 'published code and runs',
      },
    ],
  },
  selection: {
    deviation: 8,
    decides: 'Choice of the evaluated epoch',
    choices: [
      { value: 'validation', means: 'best validation accuracy', of: 'published code, for its checkpoint' },
      { value: 'best-test', means: 'best accuracy on the test clips themselves', of: 'paper, for its table' },
      { value: 'last', means: 'the last, as when no clips are held out', of: null },
    ],
  },
  surrogate: {
    deviation: 9,
    decides: 'Surrogate derivative of a spike',
    choices: [
      { value: 'configured', means: 'the model’s setting', of: 'published code: arctan' },
      { value: 'sigmoid', means: 'derivative of a sigmoid', of: 'paper, in one place' },
    ],
  },
  file_order: {
    deviation: 10,
    decides: 'Order of the clips before the split',
    choices: [
      { value: 'sorted', means: 'by name of the recording', of: null },
      {
        value: 'shuffled',
        means: 'random, like the order of a directory listing',
        of: 'published code',
      },
    ],
  },
  loss: {
    deviation: 11,
    decides: 'Squared error that training minimises',
    choices: [
      { value: 'rate', means: 'of the mean rate', of: 'published code and runs' },
      { value: 'step', means: 'of each step’s output, averaged over the steps', of: 'paper' },
    ],
  },
  ties: {
    deviation: 14,
    decides: 'Which of tied classes wins',
    choices: [
      { value: 'first', means: 'the first of them', of: null },
      { value: 'rounding', means: 'decided by rounding in single precision', of: 'published code' },
    ],
  },
} as const satisfies Readonly<Record<string, Switch>>;

type SwitchName = keyof typeof COMPAT_SWITCHES;

/** The value of every switch. */
export type Compat = {
  readonly [K in SwitchName]: (typeof COMPAT_SWITCHES)[K]['choices'][number]['value'];
};

// TypeScript does not follow keys through Object.keys.
const SWITCH_NAMES = Object.keys(COMPAT_SWITCHES) as readonly SwitchName[];

/** The first choice of every switch, which follows the intent of the thesis. */
type Intent = { readonly [K in SwitchName]: (typeof COMPAT_SWITCHES)[K]['choices'][0]['value'] };

/** The defaults. */
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
} satisfies Intent;

/** The switches of `frames:`, each for one data set. */
export const FRAME_SWITCHES = {
  overlaps: {
    deviation: 12,
    decides: 'Events that two labels claim',
    dataset: 'dvs128-gesture',
    choices: [
      { value: 'both', means: 'in both clips', of: 'labels of the data set' },
      { value: 'earlier', means: 'only in the earlier clip', of: 'published code' },
    ],
  },
  rowStride: {
    deviation: 18,
    decides: 'Distance of the rows of a frame',
    dataset: 'asl-dvs',
    choices: [
      { value: 'width', means: 'the sensor’s width', of: null },
      { value: 'height', means: 'its height, which shears frames', of: 'published code' },
    ],
  },
} as const satisfies Readonly<Record<string, Switch & { readonly dataset: string }>>;

/** Which clip has the events that two labels claim. */
export const OVERLAPS = FRAME_SWITCHES.overlaps.choices.map(({ value }) => value);
export type Overlaps = (typeof OVERLAPS)[number];

/** How far apart the rows of a frame lie: `height` is the original's mistake, and only matters on a sensor that is not square. */
export type RowStride = (typeof FRAME_SWITCHES)['rowStride']['choices'][number]['value'];

/** What decides where a frame of events ends, named as in the original's arguments. */
export const SPLITS_BY = ['number', 'time', 'duration'] as const;
export type SplitBy = (typeof SPLITS_BY)[number];

/** The switches that are not at their defaults, in the order of docs/deviations.md. */
export function pickChangedSwitches(compat: Compat): Partial<Compat> {
  return Object.fromEntries(
    SWITCH_NAMES.filter((name) => compat[name] !== COMPAT_DEFAULTS[name]).map((name) => [name, compat[name]]),
  );
}

/** The switches that are not at their defaults: `trials=first-88, tau_init=paper`, or `none`. */
export function describeCompat(compat: Compat): string {
  const changed = Object.entries(pickChangedSwitches(compat)).map(([name, value]) => `${name}=${value}`);
  return changed.length === 0 ? 'none' : changed.join(', ');
}

export const COMPAT_PRESET_NAMES = ['intent', 'runs', 'code'] as const;
export type CompatPresetName = (typeof COMPAT_PRESET_NAMES)[number];

/** What the published runs and the published script have in common. */
const published: Compat = {
  ...COMPAT_DEFAULTS,
  trials: 'first-88',
  base_tau: 'always-2',
  validation: 'shuffled-drop-last',
  file_order: 'shuffled',
  ties: 'rounding',
};

/**
 * Named sets of switches. `intent`, the default: what the thesis means. `runs`: what the logs of the published runs show, and the script
 * where they show nothing (`base_tau`, `file_order`, `ties`).
 * `code`: the published script as it stands, which forgets to pass τ per neuron on to the network.
 */
export const COMPAT_PRESETS: Readonly<Record<CompatPresetName, Compat>> = {
  intent: COMPAT_DEFAULTS,
  runs: published,
  code: { ...published, tau_per_neuron: 'dropped' },
};
