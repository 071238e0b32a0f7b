import type { JsonObject } from '../formats/fields.ts';

/** Correct clips of one split at the chosen checkpoint. */
export interface SplitResult {
  readonly clips: number;
  readonly correct: number;
  readonly accuracy: number;
  readonly loss: number;
}

/** The best accuracy over all epochs of one split, chosen on that very split. */
export interface MaximumResult {
  /** From 1. */
  readonly epoch: number;
  readonly accuracy: number;
}

/** A value at an epoch; epochs without one, for instance because they were not tested, are left out. */
export interface EpochPoint {
  /** From 1. */
  readonly epoch: number;
  readonly value: number;
}

/** One column of metrics.csv: a value an epoch, null where it is missing or not a number. */
export type Series = readonly (number | null)[];

export interface LayerMetrics {
  /** Membrane time constant in time steps, mean over the layer's neurons. */
  readonly tauMean: Series;
  /** Standard deviation over the layer's neurons; 0 where the layer has one τ. */
  readonly tauStd: Series;
}

/** metrics.csv of one training run, column by column. */
export interface EpochMetrics {
  /** From 1, though files count from 0: everything here is for people to read. */
  readonly epochs: readonly number[];
  readonly accuracy: Readonly<Record<Split, Series>>;
  readonly loss: Readonly<Record<Split, Series>>;
  /** Spiking layers, from the input to the output. */
  readonly layers: readonly LayerMetrics[];
}

export const SPLITS = ['train', 'validation', 'test'] as const;
export type Split = (typeof SPLITS)[number];

/** What one model trained with one seed came to. */
export interface RunResult {
  readonly seed: number;
  readonly engine: { readonly name: string; readonly backend: string; readonly version: string };
  readonly parameters: number;
  /** Clips of each part of the data. */
  readonly clips: Readonly<Record<Split, number>>;
  /** Settings in force, as the training wrote them down. */
  readonly network: JsonObject;
  readonly training: JsonObject;
  readonly frames: JsonObject | null;
  readonly metrics: EpochMetrics;
  /** Switches of docs/deviations.md as they were in force; null where training did not write them down. */
  readonly compat: JsonObject | null;
  /** Epoch of the checkpoint that was evaluated, from 1. */
  readonly chosenEpoch: number;
  /** The clips whose accuracy chose that epoch. */
  readonly chosenOn: 'validation' | 'test';
  readonly test: SplitResult;
  readonly validation: SplitResult;
  readonly maximum: { readonly test: MaximumResult; readonly validation: MaximumResult };
  /** [true class][predicted class], clips of the test split. */
  readonly confusion: readonly (readonly number[])[];
}

/** Accuracies that the thesis reports for a model: maxima over epochs. */
export interface PublishedResult {
  readonly name: string;
  readonly test: number;
  readonly validation: number;
}

/** A model's configuration file, and what was reproduced of it: one run a seed, in the order of the seeds. */
export interface ModelResult {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly published: PublishedResult | null;
  /** `train` in the configuration file, before a profile overrides any of it. */
  readonly train: JsonObject;
  readonly runs: readonly RunResult[];
}

/** What the authors logged of a model's training, placed on its epochs. */
export interface ReferenceCurves {
  /** First and last epoch that was tested or validated, from 1. */
  readonly epochs: readonly [number, number];
  /** After each epoch; of the training clips, of every 256th batch by itself. */
  readonly accuracy: Readonly<Record<Split, readonly EpochPoint[]>>;
  /** Of every 256th batch by itself, with the regulariser. */
  readonly trainLoss: readonly EpochPoint[];
  /** For each spiking layer τ at the mean of w, in time steps. */
  readonly tau: readonly (readonly EpochPoint[])[];
  /** Whether the steps of training batches and of w tell their epochs; if not, there are no curves of them. */
  readonly placed: boolean;
  /** Logs that end in the middle of a record, by name. */
  readonly truncated: readonly string[];
}

/** The authors' logs by the models' ids; a model without one is not in it. */
export type Reference = ReadonlyMap<string, ReferenceCurves>;

export interface SplitCount {
  readonly recordings: number;
  readonly clips: number;
}

/** Clips of both splits by a key, for instance by class. */
export interface Tally {
  readonly key: string;
  readonly clips: number;
}

/** What `verify` found in the data set. */
export interface ManifestResult {
  readonly files: number;
  readonly sizeBytes: number;
  readonly archive: boolean;
  /** Files that lie there but are no part of the data set. */
  readonly unlisted: number;
  readonly train: SplitCount;
  readonly test: SplitCount;
  readonly perUser: readonly Tally[];
  readonly perLight: readonly Tally[];
  readonly perClass: readonly Tally[];
  readonly warnings: readonly string[];
}

/** Everything that the report is made of. */
export interface Results {
  readonly dataset: string;
  readonly simulated: boolean;
  readonly classes: readonly string[];
  readonly manifest: ManifestResult;
  readonly seeds: readonly number[];
  /** At least one, in the order of the profile. */
  readonly models: readonly ModelResult[];
  /** null where the profile names no logs. */
  readonly reference: Reference | null;
}
