import type { NetworkConfig } from '../snn/network-config.ts';
import type { Compat } from '../thesis/compat.ts';
import type { PublishedResult } from '../thesis/published.ts';

/** The part of a network that a model's file describes; the data set adds the rest. */
export type NetworkSection = Omit<NetworkConfig, 'input' | 'classes'>;

/** The `train:` section. */
export interface TrainSection {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** What multiplies the learning rate for w, the logits of 1/τ; default 1. With 0, τ stays as drawn. */
  readonly tauRate?: number;
  /** T_max of the cosine annealing, in epochs. */
  readonly cosineHalfPeriod: number;
  /** The share of each class's training clips held back for validation, from 0 (none, and no validation) to 1. */
  readonly validationShare: number;
  /** Run the test clips every so many epochs, and after the last; default 1. */
  readonly testEvery?: number;
}

/** A model's file, `configs/models/<id>.yaml`, that schemas/model.schema.json accepts. */
export interface ModelFile {
  readonly title: string;
  readonly description?: string;
  readonly published?: Partial<PublishedResult>;
  readonly network: NetworkSection;
  readonly loss: { readonly regulariseTau: number | readonly number[] };
  readonly train: TrainSection;
  /** Only the switches that are not at their defaults. */
  readonly compat?: Partial<Compat>;
}

/** A profile's `train:` section that schemas/profile.schema.json accepts: what it overrides in each of its models, and the engine. */
export interface ModelOverrides extends Partial<TrainSection> {
  readonly engine?: string;
  readonly network?: DeepPartial<NetworkSection>;
  readonly loss?: Partial<ModelFile['loss']>;
  readonly compat?: Partial<Compat>;
}

export type DeepPartial<T> = { readonly [K in keyof T]?: T[K] extends object ? DeepPartial<T[K]> : T[K] };

/** How a network is trained; epochs count from 0 in files and from 1 in messages. */
export interface TrainingSettings extends Required<Omit<TrainSection, 'tauRate'>> {
  /** Absent if it is 1. */
  readonly tauRate?: number;
  /** λ of the regulariser Σ λ · Var(w): one for all spiking layers, or a list with one for each. */
  readonly regulariseTau: number | readonly number[];
}

/** A model's file with the profile's overrides and the switches applied. */
export interface ResolvedModel {
  readonly title: string;
  readonly network: NetworkSection;
  readonly training: TrainingSettings;
  /** The switches in force; one with no effect is at its default. Those that change network or training settings have done so. */
  readonly compat: Compat;
}
