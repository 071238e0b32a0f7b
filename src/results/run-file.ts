import * as v from 'valibot';
import {
  count,
  isObject,
  number,
  numberOrNumbers,
  numbers,
  positive,
  share,
  type Value,
} from '../base/files/shape.ts';
import { architectures } from '../network/network-config.ts';
import { buildNetwork, type NetworkConfig } from '../network/networks.ts';
import { inits, type NetworkSpec, tauUnits } from '../network/spec.ts';
import { frameFormat } from './clip-index.ts';
import { formatJson, type ResultFile, readResult, refuse } from './result-file.ts';
import { COMPAT_SWITCHES, type Compat } from './thesis/compat.ts';

/** A {@link NetworkConfig} as JSON, which may come from anywhere. */
export const networkConfigShape = v.object({
  architecture: v.exactOptional(v.picklist(architectures)),
  /** [channels, height, width] */
  input: v.strictTuple([positive, positive, positive]),
  classes: positive,
  channels: positive,
  layers: v.exactOptional(count),
  steps: v.exactOptional(positive),
  neuron: v.picklist(['plif', 'lif']),
  tau: v.object({
    per: v.picklist(tauUnits),
    mean: number,
    std: number,
    start: v.exactOptional(v.picklist(['code', 'paper'])),
    values: v.exactOptional(numbers),
  }),
  init: v.exactOptional(v.picklist(inits)),
  reset: v.object({
    kind: v.picklist(['hard', 'soft']),
    detach: v.boolean(),
    potential: v.exactOptional(number),
  }),
  surrogate: v.object({
    kind: v.picklist(['atan', 'sigmoid', 'triangle']),
    alpha: number,
    learnable: v.boolean(),
  }),
  pooling: v.picklist(['max', 'average']),
  threshold: v.exactOptional(number),
  hidden: v.exactOptional(v.union([positive, v.array(positive)])),
  recurrent: v.exactOptional(v.boolean()),
  votes: v.exactOptional(positive),
  dropout: v.exactOptional(number),
});

/** The highest accuracy over the epochs, and the first epoch that reached it. */
export interface Maximum {
  /** From 0. */
  readonly epoch: number;
  readonly accuracy: number;
}

/** The highest accuracy over the epochs, and the first epoch that reached it. */
export function maximumAccuracy(
  points: readonly { readonly epoch: number; readonly accuracy: number | null }[],
): Maximum {
  let best: Maximum | undefined;
  for (const { epoch, accuracy } of points) {
    if (accuracy !== null && (best === undefined || accuracy > best.accuracy)) best = { epoch, accuracy };
  }
  if (best === undefined) throw new RangeError('no epoch has an accuracy');
  return best;
}

const maximumShape = v.object({ epoch: count, accuracy: share });
export const maximaShape = v.object({
  test: maximumShape,
  /** Null if no clips are held back. */
  validation: v.nullish(maximumShape, null),
});
export type Maxima = Value<typeof maximaShape>;

/** The people who were tested, with `dataset.folds`: all others were trained or validated on. */
export const testUsersShape = { testUsers: v.exactOptional(v.array(count)) };

/** That key alone, and nothing without folds. */
export function pickTestUsers({ testUsers }: { readonly testUsers?: readonly number[] | undefined }) {
  return testUsers === undefined ? {} : { testUsers };
}

/** Orders of a clip's frames that a network may be trained and tested in, instead of their own: as those of `evaluate.orders`. */
export const TRAINED_ORDERS = ['shuffled', 'mean'] as const;
export type TrainedOrder = (typeof TRAINED_ORDERS)[number];

/** How the kept epoch is chosen: docs/deviations.md. */
export const SELECTIONS = COMPAT_SWITCHES.selection.choices.map(({ value }) => value);
export type EpochSelection = Compat['selection'];

const shape = v.object({
  version: v.literal(1),
  model: v.object({ id: v.string(), title: v.string() }),
  seed: count,
  dataset: v.string(),
  simulated: v.boolean(),
  engine: v.object({ name: v.string(), backend: v.string(), version: v.string() }),
  frames: frameFormat,
  /** Network and training are those after the switches. */
  network: networkConfigShape,
  /** The number of learned values. */
  parameters: count,
  training: v.looseObject({
    batchSize: count,
    learningRate: number,
    tauRate: v.exactOptional(number),
    frameOrder: v.exactOptional(v.picklist(TRAINED_ORDERS)),
    regulariseTau: numberOrNumbers,
  }),
  /** The switches of docs/deviations.md in force. */
  compat: v.looseObject({
    selection: v.picklist(SELECTIONS),
    regularise: v.picklist(COMPAT_SWITCHES.regularise.choices.map(({ value }) => value)),
    loss: v.picklist(COMPAT_SWITCHES.loss.choices.map(({ value }) => value)),
    ties: v.picklist(COMPAT_SWITCHES.ties.choices.map(({ value }) => value)),
  }),
  /** The number of clips in each part. */
  split: v.object({ train: count, validation: count, test: count, ...testUsersShape }),
  /** The epoch that was kept, from 0. Validation accuracies are null if no clips are held back. */
  best: v.object({
    epoch: count,
    validationAccuracy: v.nullish(share, null),
    testAccuracy: v.nullish(share, null),
  }),
  maximum: maximaShape,
  /** Only in the folders of `repro train-val`, which rewrites the file after each epoch. */
  epochsDone: v.exactOptional(count),
});

/** run.json: what was trained, on which data, and the results. */
export type RunFile = Value<typeof shape>;

/** `webgpu 0123 on gpu`. */
export const nameEngine = ({ name, version, backend }: RunFile['engine']): string =>
  `${name} ${version} on ${backend}`;

export function formatRun(run: RunFile): string {
  return formatJson(run);
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readRun(from: ResultFile): RunFile {
  return readResult(from, shape);
}

/** @throws {ReproError} `results-invalid` if the network cannot be built */
export function networkOfRunFile(from: ResultFile, { network }: RunFile): NetworkSpec {
  try {
    return buildNetwork(network);
  } catch (cause) {
    return refuse(
      from,
      `field "network" is invalid: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

/**
 * What decided how a training went, by dotted key: `training.epochs`. Reads sections without knowing their keys, so that runs of other
 * versions can be compared.
 *
 * @throws {ReproError} `results-invalid` if the text is not a JSON object of this version
 */
export function readSettings(from: ResultFile, sections: readonly string[]): Map<string, unknown> {
  const found = readResult(from, v.looseObject({}));
  const named = sections.filter((section) => found[section] !== undefined);
  return flattenSettings(Object.fromEntries(named.map((section) => [section, found[section]])));
}

/** `{training: {epochs: 3}}` as `training.epochs` → 3; lists are values. */
export function flattenSettings(sections: { readonly [key: string]: unknown }): Map<string, unknown> {
  const settings = new Map<string, unknown>();
  const add = (name: string, value: unknown): void => {
    if (isObject(value)) for (const [key, one] of Object.entries(value)) add(`${name}.${key}`, one);
    else settings.set(name, value);
  };
  for (const [section, value] of Object.entries(sections)) add(section, value);
  return settings;
}

/** What profiles and `--set` call a setting of run.json; what the data decide is nobody's setting. */
export function nameSetting(key: string): string {
  if (key === 'training.regulariseTau') return 'train.loss.regulariseTau';
  if (key === 'training.validation') return 'dataset.validation';
  if (key === 'network.input' || key === 'network.classes') return key;
  return key.replace(/^training\./, 'train.').replace(/^(?=(?:network|compat)\.)/, 'train.');
}

const splitShape = v.object({
  /** In words. */
  rule: v.string(),
  ...testUsersShape,
  train: v.array(count),
  validation: v.array(count),
});

/** split.json: rows of train.npy that were trained on and held back; with `testUsers`, of train.npy and then test.npy. */
type SplitFile = Value<typeof splitShape>;

export function formatSplit({ rule, train, validation, ...tested }: SplitFile): string {
  return formatJson({ version: 1, rule, ...pickTestUsers(tested), train, validation });
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readSplit(from: ResultFile): SplitFile {
  return readResult(from, splitShape);
}
