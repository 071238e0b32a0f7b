import { isObject } from '../formats/fields.ts';
import { architectures } from '../snn/network-config.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import { type NetworkSpec, tauUnits } from '../snn/spec.ts';
import { COMPAT_SWITCHES, type Compat } from '../thesis/compat.ts';
import { frameFormat } from './clip-index.ts';
import { formatJson, parseResult, type ResultFile, refuse } from './result-file.ts';
import {
  choice,
  count,
  flag,
  number,
  numberOrNumbers,
  object,
  optional,
  orNull,
  type Read,
  readShape,
  settings,
  share,
  text,
  type Value,
} from './shape.ts';

const positive: Read<number> = (fields, name) => fields.number(name, { min: 1, integer: true });

const frameSize: Read<readonly [number, number, number]> = (fields, name) => {
  const [channels, height, width, ...more] = fields.numbers(name, { min: 1, integer: true });
  if (channels === undefined || height === undefined || width === undefined || more.length > 0) {
    return fields.fail(name, 'must be [channels, height, width]');
  }
  return [channels, height, width];
};

/** A {@link NetworkConfig} as JSON, which may come from anywhere. */
export const networkConfigShape = {
  architecture: optional(choice(architectures)),
  input: frameSize,
  classes: positive,
  channels: positive,
  layers: optional(count),
  steps: optional(positive),
  neuron: choice(['plif', 'lif']),
  tau: object({
    per: choice(tauUnits),
    mean: number,
    std: number,
    start: optional(choice(['code', 'paper'])),
  }),
  reset: object({ kind: choice(['hard', 'soft']), detach: flag, potential: optional(number) }),
  surrogate: object({ kind: choice(['atan', 'sigmoid', 'triangle']), alpha: number, learnable: flag }),
  pooling: choice(['max', 'average']),
  threshold: optional(number),
  hidden: optional(positive),
  votes: optional(positive),
  dropout: optional(number),
};

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

const maximumShape = { epoch: count, accuracy: share };
export const maximaShape = {
  test: object(maximumShape),
  /** Null if no clips are held back. */
  validation: orNull(object(maximumShape)),
};
export type Maxima = Value<typeof maximaShape>;

/** How the kept epoch is chosen: docs/deviations.md. */
export const SELECTIONS = COMPAT_SWITCHES.selection.choices.map(({ value }) => value);
export type EpochSelection = Compat['selection'];

const shape = {
  version: (): 1 => 1,
  model: object({ id: text, title: text }),
  seed: count,
  dataset: text,
  simulated: flag,
  engine: object({ name: text, backend: text, version: text }),
  frames: frameFormat,
  /** Network and training are those after the switches. */
  network: object(networkConfigShape),
  /** The number of learned values. */
  parameters: count,
  training: settings({
    batchSize: count,
    learningRate: number,
    tauRate: optional(number),
    regulariseTau: numberOrNumbers,
  }),
  /** The switches of docs/deviations.md in force. */
  compat: settings({
    selection: choice(SELECTIONS),
    regularise: choice(COMPAT_SWITCHES.regularise.choices.map(({ value }) => value)),
    loss: choice(COMPAT_SWITCHES.loss.choices.map(({ value }) => value)),
    ties: choice(COMPAT_SWITCHES.ties.choices.map(({ value }) => value)),
  }),
  /** The number of clips in each part. */
  split: object({ train: count, validation: count, test: count }),
  /** The epoch that was kept, from 0. Validation accuracies are null if no clips are held back. */
  best: object({ epoch: count, validationAccuracy: orNull(share), testAccuracy: orNull(share) }),
  maximum: object(maximaShape),
  /** Only in the folders of `repro train-val`, which rewrites the file after each epoch. */
  epochsDone: optional(count),
};

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
  return readShape(parseResult(from), shape);
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
  const fields = parseResult(from);
  const found = sections.filter((section) => fields.has(section));
  return flattenSettings(Object.fromEntries(found.map((section) => [section, fields.value(section)])));
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
  if (key === 'network.input' || key === 'network.classes') return key;
  return key.replace(/^training\./, 'train.').replace(/^(?=(?:network|compat)\.)/, 'train.');
}

const rows: Read<readonly number[]> = (fields, name) => fields.numbers(name, { min: 0, integer: true });
const splitShape = {
  /** In words. */
  rule: text,
  train: rows,
  validation: rows,
};

/** split.json: rows of train.npy that were trained on and held back. */
export type SplitFile = Value<typeof splitShape>;

export function formatSplit({ rule, train, validation }: SplitFile): string {
  return formatJson({ version: 1, rule, train, validation });
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readSplit(from: ResultFile): SplitFile {
  return readShape(parseResult(from), splitShape);
}
