import type { ModelResult, Results, RunResult } from './results.ts';

/** One switch of docs/deviations.md: what it decides, and its values. */
export interface Switch {
  readonly name: string;
  readonly decides: string;
  /** The default, which is the intent of the thesis, comes first. */
  readonly choices: readonly [Choice, Choice, ...Choice[]];
  /** For a setting of the frames: the data set that it concerns. */
  readonly framesOf?: string;
}

export interface Choice {
  readonly value: string;
  /** Its meaning, in a few words. */
  readonly means: string;
  /** Who uses it: the paper, the published code or the published runs; null if none of them does. */
  readonly of: string | null;
}

export const SWITCHES: readonly Switch[] = [
  {
    name: 'trials',
    decides: 'Training recordings',
    choices: [
      { value: 'all', means: 'all 98 of the list', of: 'data set' },
      { value: 'first-88', means: 'the first 88 of the list', of: 'counts in the paper, published runs' },
    ],
  },
  {
    name: 'tau_per_neuron',
    decides: 'Passing -tau_per_neuron on to the network',
    choices: [
      { value: 'passed', means: 'each neuron has its own τ', of: 'paper and published runs' },
      { value: 'dropped', means: 'one τ per layer', of: 'published code' },
    ],
  },
  {
    name: 'batch_size',
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
  {
    name: 'tau_init',
    decides: 'Initial τ per neuron',
    choices: [
      { value: 'code', means: 'log-normal with mean μ', of: 'published code and runs' },
      { value: 'paper', means: '1 + log-normal with mean μ\u00a0−\u00a01', of: 'paper' },
    ],
  },
  {
    name: 'regularise',
    decides: 'Variance that λ penalises',
    choices: [
      { value: 'w', means: 'of w, the logit of 1/\u2060τ', of: 'published code and runs' },
      { value: 'tau', means: 'of τ itself', of: 'paper' },
    ],
  },
  {
    name: 'base_tau',
    decides: 'Initial τ per layer',
    choices: [
      { value: 'configured', means: 'the configured mean', of: 'argument of the published code' },
      { value: 'always-2', means: '2, whatever is configured', of: 'published code' },
    ],
  },
  {
    name: 'validation',
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
  {
    name: 'selection',
    decides: 'Choice of the evaluated epoch',
    choices: [
      { value: 'validation', means: 'best validation accuracy', of: 'published code, for its checkpoint' },
      { value: 'best-test', means: 'best accuracy on the test clips themselves', of: 'paper, for its table' },
      { value: 'last', means: 'the last, as when no clips are held out', of: null },
    ],
  },
  {
    name: 'surrogate',
    decides: 'Surrogate derivative of a spike',
    choices: [
      { value: 'configured', means: 'the model’s setting', of: 'published code: arctan' },
      { value: 'sigmoid', means: 'derivative of a sigmoid', of: 'paper, in one place' },
    ],
  },
  {
    name: 'file_order',
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
  {
    name: 'loss',
    decides: 'Squared error that training minimises',
    choices: [
      { value: 'rate', means: 'of the mean rate', of: 'published code and runs' },
      { value: 'step', means: 'of each step’s output, averaged over the steps', of: 'paper' },
    ],
  },
  {
    name: 'ties',
    decides: 'Which of tied classes wins',
    choices: [
      { value: 'first', means: 'the first of them', of: null },
      { value: 'rounding', means: 'decided by rounding in single precision', of: 'published code' },
    ],
  },
  {
    name: 'overlaps',
    decides: 'Events that two labels claim',
    framesOf: 'dvs128-gesture',
    choices: [
      { value: 'both', means: 'in both clips', of: 'labels of the data set' },
      { value: 'earlier', means: 'only in the earlier clip', of: 'published code' },
    ],
  },
  {
    name: 'rowStride',
    decides: 'Distance of the rows of a frame',
    framesOf: 'asl-dvs',
    choices: [
      { value: 'width', means: 'the sensor’s width', of: null },
      { value: 'height', means: 'its height, which shears frames', of: 'published code' },
    ],
  },
];

/** The switches that are not at their defaults for every model: `trials=first-88`. */
export function listSwitched(results: Results): string[] {
  return SWITCHES.flatMap((one) =>
    [...usedValues(results, one)]
      .filter(([value, models]) => !isConsequence(one, value, models))
      .map(([value]) => value)
      .filter((value) => one.choices.slice(1).some((choice) => choice.value === value))
      .map((value) => `${one.name}=${value}`),
  );
}

/** Whether nobody chose this value: without clips to validate on, the last epoch is kept. */
export function isConsequence({ name }: Switch, value: string, models: ReadonlySet<ModelResult>): boolean {
  const validates = [...models].some(({ runs }) => runs.some(({ clips }) => clips.validation > 0));
  return name === 'selection' && value === 'last' && !validates;
}

/** Whether the profile's own batch size overrides the switch in some run, so that neither of its values applies there. */
export function isBatchSizeOverruled(results: Results): boolean {
  return results.models.some((model) => model.runs.some((run) => overrulingBatchSize(model, run) !== null));
}

/** Values in force, each with the models that use it. */
export function usedValues(
  results: Results,
  { name, framesOf, choices }: Switch,
): Map<string, Set<ModelResult>> {
  const used = new Map<string, Set<ModelResult>>();
  if (framesOf !== undefined && framesOf !== results.dataset) return used;
  for (const model of results.models) {
    for (const run of model.runs) {
      // Frames made with the default do not name it.
      const value =
        framesOf !== undefined
          ? run.frames && (run.frames[name] ?? choices[0].value)
          : ((name === 'batch_size' ? overrulingBatchSize(model, run) : null) ?? run.compat?.[name]);
      if (typeof value === 'string') used.set(value, (used.get(value) ?? new Set()).add(model));
    }
  }
  return used;
}

/** The batch size, if the profile overrides the one in the model's file; otherwise null. */
function overrulingBatchSize({ train }: ModelResult, { compat, training }: RunResult): string | null {
  const { batchSize } = training;
  const overruled = compat?.batch_size === 'paper' && batchSize !== train.batchSize;
  return overruled && typeof batchSize === 'number' ? String(batchSize) : null;
}
