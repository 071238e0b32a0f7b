import type { Neurons } from '../snn/forward.ts';
import type { Reset } from '../snn/spec.ts';
import type { Edits, TauEdit } from './view-state.ts';

/**
 * The neurons with the reader's changes: `τ' = max(1, τ · factor)`, with the product of the factors that apply to a neuron, and
 * `leak' = 1/τ'` in single precision. A neuron whose factor is 1 keeps its leak, to the last bit.
 *
 * @param neurons of each spiking layer, as trained
 */
export function applyEdits(neurons: readonly Neurons[], edits: Edits): Neurons[] {
  return neurons.map((layer, at) => ({
    ...layer,
    leaks: editLeaks(
      layer.leaks,
      edits.tau.filter((edit) => edit.layer === null || edit.layer === at),
    ),
    threshold: edits.threshold ?? layer.threshold,
    reset: editReset(layer.reset, edits.reset),
  }));
}

function editLeaks(leaks: Float32Array, edits: readonly TauEdit[]): Float32Array {
  if (edits.length === 0) return leaks;
  const factors = new Float64Array(leaks.length).fill(1);
  for (const { neuron, factor } of edits) {
    const [start, end] = neuron === null ? [0, leaks.length] : [neuron, neuron + 1];
    for (let i = start; i < end; i++) factors[i]! *= factor;
  }
  return leaks.map((leak, i) => (factors[i] === 1 ? leak : 1 / Math.max(1, factors[i]! / leak)));
}

/** A hard reset that replaces a soft one goes to 0, where neurons with a soft reset start. */
function editReset(reset: Reset, kind: Edits['reset']): Reset {
  if (kind === null || kind === reset.kind) return reset;
  const { detach } = reset;
  return kind === 'hard' ? { kind, potential: 0, detach } : { kind, detach };
}

/** The factor of the edit with exactly this target; 1 if there is none. */
export function tauFactor({ tau }: Edits, target: Omit<TauEdit, 'factor'>): number {
  return tau.find((edit) => isSameTarget(edit, target))?.factor ?? 1;
}

/** Sets the factor of a target; 1 removes the edit. */
export function setTauFactor(edits: Edits, { factor, ...target }: TauEdit): Edits {
  const others = edits.tau.filter((edit) => !isSameTarget(edit, target));
  return { ...edits, tau: factor === 1 ? others : [...others, { ...target, factor }] };
}

function isSameTarget(a: Omit<TauEdit, 'factor'>, b: Omit<TauEdit, 'factor'>): boolean {
  return a.layer === b.layer && a.neuron === b.neuron;
}

export function hasEdits({ tau, threshold, reset }: Edits): boolean {
  return tau.length > 0 || threshold !== null || reset !== null;
}
