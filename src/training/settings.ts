import { ReproError } from '../errors.ts';
import type { NetworkConfig } from '../snn/networks.ts';

/** How a network is trained; epochs count from 0 in files and from 1 in what people read. */
export interface TrainingSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** T_max of the cosine annealing, in epochs. */
  readonly cosinePeriod: number;
  /** Share of each class's training clips that is held back, 0 to 1. */
  readonly validationShare: number;
  /** The test clips are run every so many epochs, and after the last. */
  readonly testEvery: number;
  /** λ of the regulariser λ · Σ Var(w). */
  readonly regulariseTau: number;
}

/** The part of a network that a model's file describes; the data set adds the rest. */
export type NetworkSection = Omit<NetworkConfig, 'input' | 'classes'>;

/** A model's file with the profile's overrides applied. */
export interface ResolvedModel {
  readonly title: string;
  readonly network: NetworkSection;
  readonly training: TrainingSettings;
  /** What is allowed but not as it looks. */
  readonly warnings: readonly string[];
}

type Section = Readonly<Record<string, unknown>>;

/**
 * Applies a profile's `train:` section to a model: `train.network` over the model's `network`, the rest over its `train`.
 * Nested sections are merged key by key.
 *
 * @param model configs/models/<id>.yaml, parsed
 * @param overrides the profile's `train:` section; its `engine` is left to the caller
 * @throws {ReproError} `model-invalid` naming the file and the key
 */
export function resolveModel(model: unknown, overrides: unknown, file: string): ResolvedModel {
  const read = new SectionReader(file, model);
  const {
    network: networkOverrides,
    engine: _engine,
    ...trainOverrides
  } = asSection(overrides ?? {}, file, 'train');
  const network = new SectionReader(
    file,
    merge(read.section('network'), asSection(networkOverrides ?? {}, file, 'train.network')),
    'network.',
  );
  const train = new SectionReader(file, merge(read.section('train'), trainOverrides), 'train.');
  const loss = new SectionReader(file, read.section('loss'), 'loss.');
  const training: TrainingSettings = {
    epochs: train.count('epochs'),
    batchSize: train.count('batchSize'),
    learningRate: train.number('learningRate', (value) => value > 0, 'a number above 0'),
    cosinePeriod: train.count('cosinePeriod'),
    validationShare: train.number('validationShare', (v) => v > 0 && v < 1, 'a share between 0 and 1'),
    testEvery: train.count('testEvery', 1),
    regulariseTau: loss.number('regulariseTau', (value) => value >= 0, 'a number of at least 0'),
  };
  const section = readNetwork(network, file);
  const warnings: string[] = [];
  if (training.regulariseTau > 0 && !(section.neuron === 'plif' && section.tau.per === 'neuron')) {
    warnings.push(`${file}: loss.regulariseTau has no effect without one learned τ a neuron.`);
  }
  return { title: read.text('title'), network: section, training, warnings };
}

function readNetwork(network: SectionReader, file: string): NetworkSection {
  const tau = new SectionReader(file, network.section('tau'), 'network.tau.');
  const reset = new SectionReader(file, network.section('reset'), 'network.reset.');
  const surrogate = new SectionReader(file, network.section('surrogate'), 'network.surrogate.');
  const optional = <K extends string>(key: K, read: (key: K) => number): { [P in K]?: number } =>
    network.has(key) ? ({ [key]: read(key) } as { [P in K]?: number }) : {};
  return {
    channels: network.count('channels'),
    layers: network.count('layers'),
    neuron: network.choice('neuron', ['plif', 'lif']),
    tau: {
      per: tau.choice('per', ['layer', 'neuron']),
      mean: tau.number('mean', (value) => value > 1, 'a number of time steps above 1'),
      std: tau.number('std', (value) => value >= 0, 'a number of at least 0'),
    },
    reset: {
      kind: reset.choice('kind', ['hard', 'soft']),
      detach: reset.flag('detach'),
      ...(reset.has('potential')
        ? { potential: reset.number('potential', Number.isFinite, 'a number') }
        : {}),
    },
    surrogate: {
      kind: surrogate.choice('kind', ['atan']),
      alpha: surrogate.number('alpha', (value) => value > 0, 'a number above 0'),
      learnable: surrogate.flag('learnable'),
    },
    pooling: network.choice('pooling', ['max', 'average']),
    ...optional('threshold', (key) => network.number(key, (value) => value > 0, 'a number above 0')),
    ...optional('hidden', (key) => network.count(key)),
    ...optional('votes', (key) => network.count(key)),
    ...optional('dropout', (key) => network.number(key, (v) => v >= 0 && v < 1, 'a probability below 1')),
  };
}

/** Reads the keys of one section; the runner has checked files against their schema, so this only stops nonsense. */
class SectionReader {
  readonly #file: string;
  readonly #prefix: string;
  readonly #section: Section;

  constructor(file: string, section: unknown, prefix = '') {
    this.#file = file;
    this.#prefix = prefix;
    this.#section = asSection(section, file, prefix.replace(/\.$/, ''));
  }

  has(key: string): boolean {
    return this.#section[key] !== undefined;
  }

  section(key: string): Section {
    return asSection(this.#section[key], this.#file, this.#prefix + key);
  }

  text(key: string): string {
    const value = this.#section[key];
    return typeof value === 'string' ? value : this.#refuse(key, 'a text');
  }

  flag(key: string): boolean {
    const value = this.#section[key];
    return typeof value === 'boolean' ? value : this.#refuse(key, 'true or false');
  }

  choice<T extends string>(key: string, choices: readonly T[]): T {
    return (
      choices.find((choice) => choice === this.#section[key]) ??
      this.#refuse(key, `one of ${choices.join(', ')}`)
    );
  }

  count(key: string, otherwise?: number): number {
    if (otherwise !== undefined && !this.has(key)) return otherwise;
    return this.number(key, (value) => Number.isInteger(value) && value >= 1, 'a whole number of at least 1');
  }

  number(key: string, good: (value: number) => boolean, expected: string): number {
    const value = this.#section[key];
    return typeof value === 'number' && good(value) ? value : this.#refuse(key, expected);
  }

  #refuse(key: string, expected: string): never {
    throw invalid(this.#file, this.#prefix + key, expected, this.#section[key]);
  }
}

function merge(base: Section, over: Section): Section {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isSection(before) && isSection(value) ? merge(before, value) : value;
  }
  return merged;
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asSection(value: unknown, file: string, key: string): Section {
  if (isSection(value)) return value;
  throw invalid(file, key, 'a section with keys', value);
}

function invalid(where: string, key: string, expected: string, found: unknown): ReproError {
  const what = key === '' ? 'the file' : `"${key}"`;
  return new ReproError(
    'model-invalid',
    `${what}: expected ${expected}, found ${found === undefined ? 'nothing' : JSON.stringify(found)}.`,
    { where, fix: 'schemas/model.schema.json says what belongs there; the profile’s `train:` goes over it.' },
  );
}
