import type { Trace } from '../snn/forward.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import type { EmbeddedModel, TrainingSetting } from './payload.ts';
import type { Edits } from './view-state.ts';

/** The frames of one clip, [T, 2, H, W]. */
export type Frames = Uint8Array | Uint16Array | Float32Array;

/** A trained network as the worker needs it: `values` are the F32 tensors of `stateEntries(spec)`, one after the other. */
export interface NetworkValues {
  readonly config: NetworkConfig;
  readonly values: Float32Array;
}

/** To the worker, which answers with the same `id`: `run` once, `train` at each step, `stop` not at all. */
export type Request = { readonly id: number } & (
  | {
      readonly kind: 'run';
      /** The network kept under this key; `network` replaces it. */
      readonly key: string;
      readonly network: NetworkValues | null;
      readonly frames: Frames;
      readonly steps: number;
      readonly edits: Edits;
    }
  /** Trains a network for some optimiser steps, with the WebAssembly engine; what is kept under a key stays as it is. */
  | { readonly kind: 'train'; readonly network: NetworkValues; readonly task: TrainingTask }
  /** Ends the training; the step in progress, or the next one, is the last. */
  | { readonly kind: 'stop' }
);

export interface TrainingTask {
  readonly steps: number;
  /** Trained in the page before, so that going on draws other batches. */
  readonly stepsBefore: number;
  readonly settings: TrainingSetting & { readonly lambda: EmbeddedModel['regulariseTau'] };
  readonly training: readonly LabelledFrames[];
  readonly heldOut: readonly LabelledFrames[];
  /** T of all clips. */
  readonly clipSteps: number;
}

export interface LabelledFrames {
  readonly frames: Frames;
  readonly label: number;
}

export type Answer = { readonly id: number } & (
  | { readonly kind: 'trace'; readonly trace: Trace; readonly milliseconds: number }
  | { readonly kind: 'trained'; readonly progress: TrainingProgress }
  | { readonly kind: 'failed'; readonly message: string }
);

export interface TrainingProgress {
  /** Optimiser steps so far; 0 before the first. */
  readonly step: number;
  /** Of the last batch; null before the first. */
  readonly loss: number | null;
  /** Held-out clips that are right; null where they were not scored. */
  readonly correct: number | null;
  /** Mean τ of each spiking layer, in steps. */
  readonly tau: readonly number[];
  /** The new values at the end, as in `NetworkValues`; undefined before. */
  readonly values?: Float32Array;
}
