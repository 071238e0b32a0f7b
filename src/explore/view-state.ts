/** The order in which a clip's frames reach the network; `frozen`: all are the frame at `frozenAt`. */
export type FrameOrder = 'as-is' | 'reversed' | 'shuffled' | 'frozen';

/** τ of one neuron, of a layer, or of all neurons, as a multiple of what was learned. Later edits multiply with earlier ones. */
export interface TauEdit {
  /** null: all layers. */
  readonly layer: number | null;
  /** Place in [C, H, W] of the layer; null: all its neurons. */
  readonly neuron: number | null;
  readonly factor: number;
}

/** What the reader changed in the neurons. */
export interface Edits {
  readonly tau: readonly TauEdit[];
  /** null: as trained. */
  readonly threshold: number | null;
  readonly reset: 'hard' | 'soft' | null;
}

export const NO_EDITS: Edits = { tau: [], threshold: null, reset: null };

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
  readonly frozenAt: number;
  readonly show: 'spikes' | 'potential' | 'tau';
  /** The neuron that one looks at; `index` in [C, H, W] of the layer. */
  readonly neuron: { readonly layer: number; readonly index: number } | null;
  readonly edits: Edits;
}
