import { type Fields, isObject, type JsonObject } from '../formats/fields.ts';
import { parseNetwork } from '../formats/network-json.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import { COMPAT_SWITCHES, type Compat } from '../thesis/compat.ts';
import { type FrameFormat, readFrameFormat } from './clip-index.ts';
import { formatJson, parseResult, type ResultFile, refuse } from './result-file.ts';

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

export interface Maxima {
  readonly test: Maximum;
  /** Null if no clips are held back. */
  readonly validation: Maximum | null;
}

/** How the kept epoch is chosen: docs/deviations.md. */
export const SELECTIONS = COMPAT_SWITCHES.selection.choices.map(({ value }) => value);
export type Selection = Compat['selection'];

/** The switches of docs/deviations.md in force. Only these are interpreted by readers; the others are shown. */
type RecordedCompat = JsonObject & Pick<Compat, 'selection' | 'loss' | 'ties'>;

/** The settings of the training. Only this one is interpreted by readers. */
type RecordedTraining = JsonObject & { readonly batchSize: number };

/** run.json: what was trained, on which data, and the results. */
export interface RunFile {
  readonly version: 1;
  readonly model: { readonly id: string; readonly title: string };
  readonly seed: number;
  readonly dataset: string;
  readonly simulated: boolean;
  readonly engine: { readonly name: string; readonly backend: string; readonly version: string };
  readonly frames: FrameFormat;
  /** Network and training are those after the switches. */
  readonly network: NetworkConfig;
  /** The number of learned values. */
  readonly parameters: number;
  readonly training: RecordedTraining;
  readonly compat: RecordedCompat;
  /** The number of clips in each part. */
  readonly split: { readonly train: number; readonly validation: number; readonly test: number };
  /** The epoch that was kept, from 0. Validation accuracies are null if no clips are held back. */
  readonly best: {
    readonly epoch: number;
    readonly validationAccuracy: number | null;
    readonly testAccuracy: number | null;
  };
  readonly maximum: Maxima;
  /** Only in the folders of `repro train-val`, which rewrites the file after each epoch. */
  readonly epochsDone?: number;
}

export function formatRun(run: RunFile): string {
  return formatJson(run);
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readRun(from: ResultFile): RunFile {
  const fields = parseResult(from);
  const model = fields.object('model');
  const engine = fields.object('engine');
  const split = fields.object('split');
  const compat = fields.object('compat');
  const best = fields.object('best');
  return {
    version: 1,
    model: { id: model.text('id'), title: model.text('title') },
    seed: fields.count('seed'),
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    engine: { name: engine.text('name'), backend: engine.text('backend'), version: engine.text('version') },
    frames: readFrameFormat(fields.object('frames')),
    network: parseNetwork(fields.object('network')),
    parameters: fields.count('parameters'),
    training: { ...fields.raw('training'), batchSize: fields.object('training').count('batchSize') },
    compat: {
      ...fields.raw('compat'),
      selection: compat.choice('selection', SELECTIONS),
      loss: compat.choice(
        'loss',
        COMPAT_SWITCHES.loss.choices.map(({ value }) => value),
      ),
      ties: compat.choice(
        'ties',
        COMPAT_SWITCHES.ties.choices.map(({ value }) => value),
      ),
    },
    split: { train: split.count('train'), validation: split.count('validation'), test: split.count('test') },
    best: {
      epoch: best.count('epoch'),
      validationAccuracy: best.has('validationAccuracy') ? best.share('validationAccuracy') : null,
      testAccuracy: best.has('testAccuracy') ? best.share('testAccuracy') : null,
    },
    maximum: readMaxima(fields.object('maximum')),
    ...(fields.has('epochsDone') ? { epochsDone: fields.count('epochsDone') } : {}),
  };
}

export function readMaxima(fields: Fields): Maxima {
  const read = (one: Fields): Maximum => ({ epoch: one.count('epoch'), accuracy: one.share('accuracy') });
  return {
    test: read(fields.object('test')),
    validation: fields.has('validation') ? read(fields.object('validation')) : null,
  };
}

/** @throws {ReproError} `results-invalid` if the network cannot be built */
export function networkOf(from: ResultFile, { network }: RunFile): NetworkSpec {
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
  const settings = new Map<string, unknown>();
  const add = (name: string, value: unknown): void => {
    if (isObject(value)) for (const [key, one] of Object.entries(value)) add(`${name}.${key}`, one);
    else settings.set(name, value);
  };
  for (const section of sections) if (fields.has(section)) add(section, fields.value(section));
  return settings;
}

/** split.json: rows of train.npy that were trained on and held back. */
export interface SplitFile {
  /** In words. */
  readonly rule: string;
  readonly train: readonly number[];
  readonly validation: readonly number[];
}

export function formatSplit({ rule, train, validation }: SplitFile): string {
  return formatJson({ version: 1, rule, train, validation });
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readSplit(from: ResultFile): SplitFile {
  const fields = parseResult(from);
  const rows = (part: string) => fields.numbers(part, { min: 0, integer: true });
  return { rule: fields.text('rule'), train: rows('train'), validation: rows('validation') };
}
