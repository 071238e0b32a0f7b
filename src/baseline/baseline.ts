import type { JsonObject } from '../formats/fields.ts';
import type { Verdict } from '../thesis/verdicts.ts';

/** The frames of one split: which they are, and how many events of each polarity they hold. */
export interface FramesFacts {
  /** sha256 of the `.npy` file. */
  readonly sha256: string;
  /** sha256 of the list of clips, their recordings and classes, in clips.json. */
  readonly list: string;
  readonly clips: number;
  /** Events that made a pixel darker and brighter; null for still images. */
  readonly events: { readonly off: number; readonly on: number } | null;
}

/** A training batch as computed before its optimiser step. */
interface BatchFacts {
  /** From 1. */
  readonly batch: number;
  /** With the regulariser. */
  readonly loss: number;
  /** Share of neurons that spike per step, for each spiking layer from input to output. */
  readonly spikeRates: readonly number[];
}

/** The learning rate of an epoch, and measures of each spiking layer, from input to output. */
export interface LayerFacts {
  /** From 1. */
  readonly epoch: number;
  readonly learningRate: number;
  /** Means over the training batches. */
  readonly spikeRates: readonly number[];
  /** Mean τ over the neurons, in time steps. */
  readonly tauMeans: readonly number[];
  /** Standard deviation of τ over the neurons, in time steps; 0 where a layer has one τ. */
  readonly tauStds: readonly number[];
}

/** What one training and its evaluation gave. */
export interface RunFacts {
  readonly model: string;
  readonly seed: number;
  /** The fact `engine` of the training, `native 0123456789ab avx512 GCC 12.4.0`. */
  readonly engine: string;
  /** The fact `engine` of the evaluation. */
  readonly evaluationEngine: string;
  /** Everything that affects the training, except the number of its epochs, by dotted key. */
  readonly settings: JsonObject;
  readonly epochs: number;
  /** Epoch of the evaluated checkpoint, from 1. */
  readonly chosenEpoch: number;
  /** The epoch that the setting `compat.selection` prefers, by the accuracies that the training recorded; null if it recorded none. */
  readonly preferredEpoch: number | null;
  /** Test clips that the training itself got right after the chosen epoch; null if it did not test then. */
  readonly rightInTraining: number | null;
  /** For each spiking layer, from input to output: neurons × time steps × clips of a training batch. A spike rate is a share of these. */
  readonly neuronSteps: readonly number[];
  /** Of the first batches: 1, 2, 4, 8, … and the last that was kept. */
  readonly firstBatches: readonly BatchFacts[];
  /** Mean over the training batches of each epoch, with the regulariser. */
  readonly trainLosses: readonly number[];
  /** Epochs 1, 2, 4, 8, … and the last. */
  readonly layers: readonly LayerFacts[];
  readonly test: TestFacts;
}

/** Which test clips were answered right. */
export interface TestFacts {
  readonly clips: number;
  /** sha256 of the list of clips with their classes: answers to other clips are never compared. */
  readonly list: string;
  /** The clips that were answered wrong, by their rows in test.npy, ascending. */
  readonly wrong: readonly number[];
}

/** What a run of a profile gave, to compare later runs with: the content of configs/baselines/<profile>.json. */
export interface Baseline {
  readonly profile: string;
  readonly dataset: string;
  readonly simulated: boolean;
  readonly frames: { readonly train: FramesFacts; readonly test: FramesFacts };
  /** In the order of the profile's models, then of its seeds. */
  readonly runs: readonly RunFacts[];
  /** The report's verdict on each published claim, by its id. */
  readonly claims: { readonly [id: string]: Verdict };
}

/** `simulated dvs128-gesture`. */
export function nameData({ dataset, simulated }: Pick<Baseline, 'dataset' | 'simulated'>): string {
  return `${simulated ? 'simulated ' : ''}${dataset}`;
}

export function findRun(
  baseline: Baseline,
  { model, seed }: Pick<RunFacts, 'model' | 'seed'>,
): RunFacts | undefined {
  return baseline.runs.find((run) => run.model === model && run.seed === seed);
}

/** `baseline, seed 2020`. */
export function nameRun({ model, seed }: Pick<RunFacts, 'model' | 'seed'>): string {
  return `${model}, seed ${seed}`;
}

/** As in metrics.csv: spiking layers from input to output, from 0. */
export function nameLayer(layer: number): string {
  return `layer ${layer}`;
}

/**
 * Whether the details of an epoch, or of one of the first batches, are kept: 1, 2, 4, 8, … and the last. Early ones are compared tightly,
 * and short runs have them, too.
 */
export function isKept(number: number, last: number): boolean {
  return number === last || Number.isInteger(Math.log2(number));
}
