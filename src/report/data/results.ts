import type { RawObject } from '../../base/files/shape.ts';
import type { NetworkSpec } from '../../network/spec.ts';
import type { ClipExamples } from '../../results/clip-examples.ts';
import type { DatasetFacts } from '../../results/dataset-facts.ts';
import type { EvaluationFile } from '../../results/evaluation-file.ts';
import type { Manifest } from '../../results/manifest.ts';
import type { Maxima, RunFile } from '../../results/run-file.ts';
import type { TauQuantiles } from '../../results/tau-file.ts';
import type { PublishedResult } from '../../results/thesis/published.ts';

/** A value at an epoch. Lists of these leave out epochs without a value, for instance untested ones. */
export interface EpochPoint {
  /** From 1. */
  readonly epoch: number;
  readonly value: number;
}

/** One column of metrics.csv: a value per epoch, null if missing, NaN or infinite. */
export type Series = readonly (number | null)[];

interface LayerMetrics {
  /** τ at the mean of w over the layer's neurons, in time steps: what the thesis draws. */
  readonly tauOfMean: Series;
  readonly tauMean: Series;
  readonly tauStd: Series;
  /** Mean over the layer's neurons of how far τ moved in the epoch. */
  readonly tauChange: Series;
}

/** metrics.csv of one training run, column by column. */
export interface EpochCurves {
  /** From 1, for people to read; files count from 0. */
  readonly epochs: readonly number[];
  readonly accuracy: Readonly<Record<ResultSplit, Series>>;
  readonly loss: Readonly<Record<ResultSplit, Series>>;
  /** Spiking layers, from input to output. */
  readonly layers: readonly LayerMetrics[];
}

export const RESULT_SPLITS = ['train', 'validation', 'test'] as const;
export type ResultSplit = (typeof RESULT_SPLITS)[number];

/** What the evaluation found out about a spiking layer. */
export interface LayerResult {
  /** The share of neurons that spike per step, over the test clips at the chosen epoch. */
  readonly spikeRate: number;
  /** The distribution of τ over its neurons after the last epoch. */
  readonly taus: TauQuantiles;
}

/** A network's answer to one test clip. */
export interface ClipAnswer {
  /** Row of the clip: the same in every run that tested it. */
  readonly clip: number;
  /** The number of the person whose gesture it is; null if the data set has no users. */
  readonly user: number | null;
  readonly class: number;
  readonly right: boolean;
}

/** The result of training one model with one seed: what its files say, with epochs counted from 1. */
export interface RunResult
  extends Pick<RunFile, 'seed' | 'engine' | 'parameters' | 'frames' | 'compat'>,
    Pick<EvaluationFile, 'test' | 'validation' | 'confusion' | 'cost' | 'correctByStep'> {
  readonly clips: Readonly<Record<ResultSplit, number>>;
  /** Settings in force, as recorded by the training. */
  readonly network: RawObject;
  readonly training: RawObject;
  /** The layers that `network` describes. */
  readonly spec: NetworkSpec;
  readonly metrics: EpochCurves;
  /** Epoch of the evaluated checkpoint, from 1. */
  readonly chosenEpoch: number;
  /** The clips on which that epoch was chosen; null if it is simply the last. */
  readonly chosenOn: 'validation' | 'test' | null;
  /** Chosen on the same clips that they are measured on. */
  readonly maximum: Maxima;
  /** The test clips with their frames in other orders: those that were evaluated. */
  readonly orders: NonNullable<EvaluationFile['orders']>;
  /** The test clips by the network with its τ changed: the changes that were evaluated. */
  readonly tau: NonNullable<EvaluationFile['tau']>;
  /** The people whose clips these are; only with folds of users. Without them, all runs have the same test clips. */
  readonly testUsers?: readonly number[];
  /** Of the test clips, by row. */
  readonly answers: readonly ClipAnswer[];
  /** Spiking layers, from input to output, as in `metrics`. */
  readonly layers: readonly LayerResult[];
}

/** A model's configuration file, and its runs in the order of the seeds. */
export interface ModelResult {
  readonly id: string;
  readonly title: string;
  readonly published: PublishedResult | null;
  /** `train` in the configuration file, before a profile overrides any of it. */
  readonly train: RawObject;
  readonly runs: readonly RunResult[];
}

/** The authors' logs of a model's training, by epoch. */
export interface ReferenceCurves {
  /** First and last tested or validated epoch, from 1. */
  readonly epochs: readonly [number, number];
  readonly accuracy: Readonly<Record<'validation' | 'test', readonly EpochPoint[]>>;
  /** τ at the mean of w for each spiking layer, in time steps; without points if their epochs are not known. */
  readonly tau: readonly (readonly EpochPoint[])[];
}

/** The authors' logs by model id, only for models with a log. */
export type ReferenceLogs = ReadonlyMap<string, ReferenceCurves>;

export interface ManifestResult extends Omit<Manifest, 'version' | 'dataset' | 'simulated' | 'files'> {
  /** Of its file, which has a checksum of every file of the data. */
  readonly sha256: string;
  readonly files: number;
  readonly sizeBytes: number;
  /** Files in the folder that do not belong to the data set. */
  readonly unlisted: number;
}

export interface Results {
  readonly dataset: DatasetFacts;
  readonly simulated: boolean;
  readonly classes: readonly string[];
  readonly manifest: ManifestResult;
  readonly examples: ClipExamples;
  readonly seeds: readonly number[];
  /** At least one, in the profile's order. */
  readonly models: readonly ModelResult[];
  /** null if the profile names no logs. */
  readonly reference: ReferenceLogs | null;
}
