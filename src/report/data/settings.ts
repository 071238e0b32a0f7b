import { isObject, type RawObject } from '../../base/files/shape.ts';
import type { FrameFormat } from '../../results/clip-index.ts';
import { COMPAT_SWITCHES, FRAME_SWITCHES, type Switch } from '../../results/thesis/compat.ts';
import {
  findPublishedModel,
  type PublishedSettings,
  publishedSettings,
} from '../../results/thesis/published.ts';
import { groupDigits, groupTitles } from '../../verdicts/words.ts';
import type { ModelResult, Results, RunResult } from './results.ts';

type Scalar = string | number | boolean;

interface Setting {
  readonly label: string;
  /** The published value; null if there is no such model, or the setting is not given. */
  readonly thesis: (published: PublishedSettings) => Scalar | null;
  /** The value in force; null if this run has no such setting. */
  readonly used: (run: RunResult) => Scalar | null;
  /** The value of runs that have none, beside others that do. */
  readonly usual?: Scalar | null;
}

/** A setting in the thesis and in this run, for instance 128 channels against 8. */
interface SettingComparison {
  readonly label: string;
  readonly thesis: string;
  readonly used: string;
  readonly differs: boolean;
  /** Whether every value that differs is a number below the published one. */
  readonly isSmaller: boolean;
  /** Titles of published models for which there is no value. */
  readonly without: readonly string[];
}

const SETTINGS: readonly Setting[] = [
  {
    label: 'Time steps per clip',
    thesis: ({ frames }) => frames.steps ?? null,
    // A still image is one frame, which the network repeats.
    used: ({ frames, network }) => scalarAt(network, 'steps') ?? frames.steps,
  },
  {
    label: 'Events split by',
    thesis: ({ frames }) => frames.splitBy ?? null,
    used: ({ frames }) => describeSplit(frames),
  },
  {
    label: 'Frames normalised by',
    thesis: ({ frames }) => frames.normalization ?? null,
    used: ({ frames }) => frames.normalization ?? 'none',
  },
  {
    label: 'Frame size, pixels',
    thesis: ({ frames }) => formatSize(frames.height ?? null, frames.width ?? null),
    used: ({ frames: { height, width } }) => formatSize(height, width),
  },
  network('Convolutional layers', 'layers'),
  network('Channels per layer', 'channels'),
  network('Pooling', 'pooling'),
  network('Neuron', 'neuron'),
  network('One time constant per', 'tau.per'),
  network('Initial τ: mean, time steps', 'tau.mean'),
  network('Initial τ: standard deviation', 'tau.std'),
  {
    label: 'Initial τ: not drawn, but in turn',
    thesis: () => null,
    used: ({ network }) => scalarAt(network, 'tau.values'),
  },
  { ...network('Initial weights', 'init'), usual: 'kaiming' },
  network('Reset', 'reset.kind'),
  network('Reset detached from the gradient', 'reset.detach'),
  network('Surrogate derivative', 'surrogate.kind'),
  network('Slope of the surrogate', 'surrogate.alpha'),
  network('Slope learned', 'surrogate.learnable'),
  {
    label: 'λ, weight of the variance of τ’s logits',
    thesis: ({ loss }) => loss.regulariseTau ?? null,
    used: ({ training }) => scalarAt(training, 'regulariseTau') ?? scalarAt(training, 'loss.regulariseTau'),
  },
  network('Width of the hidden layer', 'hidden'),
  { ...network('Hidden neurons get their own spikes', 'recurrent'), usual: false },
  network('Outputs per class', 'votes'),
  network('Dropout probability', 'dropout'),
  network('Threshold', 'threshold'),
  training('Epochs', 'epochs'),
  training('Epochs between tests', 'testEvery'),
  training('Batch size', 'batchSize'),
  training('Learning rate', 'learningRate'),
  { ...training('Factor of the learning rate for τ’s logits', 'tauRate'), usual: 1 },
  { ...training('Order of frames', 'frameOrder'), usual: 'recorded' },
  training('Half-period of the cosine schedule (T_max), epochs', 'cosineHalfPeriod'),
  training('Share of training clips held out for validation', 'validationShare'),
  { ...training('Held out for validation', 'validation'), usual: 'clips of each class' },
  clips('Training clips', 'train'),
  clips('Validation clips', 'validation'),
  clips('Test clips', 'test'),
];

export function compareSettings(results: Results): SettingComparison[] {
  return SETTINGS.map((setting) => compareSetting(results, setting)).filter((row) => row.used !== '');
}

export function listDeviations(results: Pick<Results, 'models'>): SettingComparison[] {
  return SETTINGS.map((setting) => compareSetting(results, setting)).filter(({ differs }) => differs);
}

export function listModelDeviations(model: ModelResult, published: PublishedSettings): SettingComparison[] {
  return SETTINGS.map((setting) => compareSetting({ models: [model] }, setting, () => published)).filter(
    ({ differs }) => differs,
  );
}

function compareSetting(
  results: Pick<Results, 'models'>,
  { label, thesis, used, usual = null }: Setting,
  publishedOf: (model: ModelResult) => PublishedSettings = publishedSettings,
): SettingComparison {
  const isSet = results.models.some(({ runs }) => runs.some((run) => used(run) !== null));
  const pairs = results.models.flatMap((model) =>
    model.runs.map((run) => {
      return { model, thesis: thesis(publishedOf(model)), used: used(run) ?? (isSet ? usual : null) };
    }),
  );
  const differing = pairs.filter(
    (pair) => pair.thesis !== null && pair.used !== null && pair.thesis !== pair.used,
  );
  return {
    label,
    thesis: groupByValue(pairs.map((pair) => [pair.thesis, pair.model])),
    used: groupByValue(pairs.map((pair) => [pair.used, pair.model])),
    // Of models that were never published, the section says so once.
    without: results.models
      .filter((model) => findPublishedModel(model) !== undefined && thesis(publishedOf(model)) === null)
      .map(({ title }) => title),
    differs: differing.length > 0,
    // Of a frame's size, `32 × 32`, the first number.
    isSmaller: differing.every(
      (pair) => Number.parseFloat(`${pair.used}`) < Number.parseFloat(`${pair.thesis}`),
    ),
  };
}

/** `128`, or if models differ, `layer (Baseline); neuron (No Reg., λ = .1)`. Empty if no model has a value. */
function groupByValue(values: readonly (readonly [Scalar | null, ModelResult])[]): string {
  const groups = groupTitles(
    values.flatMap(([value, { title }]) => (value === null ? [] : [[formatScalar(value), title]])),
  );
  if (groups.length === 1) return groups[0]![0];
  return groups.map(([text, titles]) => `${text} (${titles.join(', ')})`).join('; ');
}

function formatScalar(value: Scalar): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number' && Number.isInteger(value)) return groupDigits(value);
  return WORDS.get(value) ?? String(value);
}

/** Values of the configuration as a reader would write them. */
const WORDS: ReadonlyMap<Scalar, string> = new Map([
  ['plif', 'PLIF'],
  ['lif', 'LIF'],
  ['atan', 'arctan'],
  ['max', 'maximum'],
  ['number', 'number of events'],
  ['users', 'that share of the people'],
  ['kaiming', 'Kaiming uniform'],
  ['gain-matched', 'Kaiming uniform, times τ/2'],
]);

function formatSize(height: Scalar | null, width: Scalar | null): string | null {
  return height === null || width === null ? null : `${width} × ${height}`;
}

function network(label: string, path: string): Setting {
  const thesis = (published: PublishedSettings) => published.network[path] ?? null;
  return { label, thesis, used: (run) => scalarAt(run.network, path) };
}

function training(label: string, path: string): Setting {
  const thesis = (published: PublishedSettings) => published.train[path] ?? null;
  return { label, thesis, used: (run) => scalarAt(run.training, path) };
}

function describeSplit({ splitBy, durationUs }: FrameFormat): string | null {
  return splitBy === 'duration' ? `duration, ${durationUs} µs` : splitBy;
}

function clips(label: string, split: 'train' | 'validation' | 'test'): Setting {
  return { label, thesis: (published) => published.clips[split] ?? null, used: (run) => run.clips[split] };
}

function scalarAt(object: RawObject, path: string): Scalar | null {
  const value = path
    .split('.')
    .reduce<unknown>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : null), object);
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** A switch with its name, and for one of the frames, the data set that it concerns. */
export interface NamedSwitch extends Switch {
  readonly name: string;
  readonly dataset?: string;
}

const SWITCHES: readonly NamedSwitch[] = Object.entries<Omit<NamedSwitch, 'name'>>({
  ...COMPAT_SWITCHES,
  ...FRAME_SWITCHES,
}).map(([name, one]) => ({ name, ...one }));

/** The switches that are not at their defaults for every model, with the values in force and the models that use each. */
export function listSwitched(results: Results) {
  return SWITCHES.flatMap((one) => {
    const used = usedValues(results, one);
    const switched = [...used.keys()].filter(
      (value) => value !== one.choices[0].value && !isConsequence(one, value, used.get(value)!),
    );
    return switched.length === 0 ? [] : [{ one, used, switched }];
  });
}

/** Those, as `trials=first-88`. */
export function nameSwitched(results: Results): string[] {
  return listSwitched(results).flatMap(({ one, switched }) =>
    switched.map((value) => `${one.name}=${value}`),
  );
}

/** Whether nobody chose this value: without clips to validate on, the last epoch is kept. */
function isConsequence({ name }: NamedSwitch, value: string, models: ReadonlySet<ModelResult>): boolean {
  const validates = [...models].some(({ runs }) => runs.some(({ clips }) => clips.validation > 0));
  return name === 'selection' && value === 'last' && !validates;
}

/** Values in force, each with the models that use it. */
function usedValues(
  results: Results,
  { name, dataset, choices }: NamedSwitch,
): Map<string, Set<ModelResult>> {
  const used = new Map<string, Set<ModelResult>>();
  if (dataset !== undefined && dataset !== results.dataset.name) return used;
  for (const model of results.models) {
    for (const run of model.runs) {
      // Frames made with the default do not name it.
      const value =
        dataset === undefined ? run.compat[name] : (Reflect.get(run.frames, name) ?? choices[0].value);
      if (typeof value === 'string') used.set(value, (used.get(value) ?? new Set()).add(model));
    }
  }
  return used;
}
