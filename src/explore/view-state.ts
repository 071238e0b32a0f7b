import { mixSeed, TorchRandom } from '../snn/torch-random.ts';
import type { Frames } from './messages.ts';

/** The order in which a clip's frames reach the network; a number: all are the frame at that step, from 0. */
export type FrameOrder = 'as-is' | 'reversed' | 'shuffled' | number;

/** What the reader changed in the neurons. */
export interface Edits {
  /**
   * What τ is multiplied by: `all` neurons', that of a layer (`1`, from 0), or that of a neuron by its place in [C, H, W] of the layer
   * (`1.234`). Those that apply to a neuron multiply.
   */
  readonly tau: Readonly<Record<string, number>>;
  /** null: as trained. */
  readonly threshold: number | null;
  readonly reset: 'hard' | 'soft' | null;
}

export const NO_EDITS: Edits = { tau: {}, threshold: null, reset: null };

/** Everything that the page shows depends on this and on the payload; it is what the address holds. */
export interface ViewState {
  /** Index of the model, and of the one beside it; null: nothing beside it. The second is always as trained. */
  readonly model: number;
  readonly beside: number | null;
  /** An embedded clip's id, or `own`. */
  readonly clip: string;
  /** From 0. */
  readonly step: number;
  readonly order: FrameOrder;
  readonly show: 'spikes' | 'potential' | 'tau';
  /** The neuron that one looks at; `index` in [C, H, W] of the layer. */
  readonly neuron: { readonly layer: number; readonly index: number } | null;
  readonly edits: Edits;
}

/** The frames of a clip, [T, ...], in another order; `shuffled` depends only on T, so that everyone sees the same. */
export function reorderSteps(frames: Frames, steps: number, order: FrameOrder): Frames {
  if (order === 'as-is') return frames;
  const size = frames.length / steps;
  const shuffled = new TorchRandom(mixSeed(1, steps)).permutation(steps);
  const ordered = frames.slice();
  for (let step = 0; step < steps; step++) {
    const from = order === 'reversed' ? steps - 1 - step : order === 'shuffled' ? shuffled[step]! : order;
    ordered.set(frames.subarray(from * size, (from + 1) * size), step * size);
  }
  return ordered;
}
