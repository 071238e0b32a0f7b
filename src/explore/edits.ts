import type { Neurons } from '../snn/forward.ts';
import type { Reset } from '../snn/spec.ts';
import type { Edits } from './view-state.ts';

/**
 * The neurons with the reader's changes: `τ' = max(1, τ · factor)`, with the product of the factors that apply to a neuron, and
 * `leak' = 1/τ'` in single precision. A neuron whose factor is 1 keeps its leak, to the last bit.
 *
 * @param neurons of each spiking layer, as trained
 */
export function applyEdits(neurons: readonly Neurons[], edits: Edits): Neurons[] {
  return neurons.map((layer, at) => ({
    ...layer,
    leaks: editLeaks(layer.leaks, edits.tau, String(at)),
    threshold: edits.threshold ?? layer.threshold,
    reset: editReset(layer.reset, edits.reset),
  }));
}

function editLeaks(leaks: Float32Array, tau: Edits['tau'], layer: string): Float32Array {
  const factors = new Float64Array(leaks.length).fill((tau.all ?? 1) * (tau[layer] ?? 1));
  for (const [target, factor] of Object.entries(tau)) {
    const [at, neuron] = target.split('.');
    if (at === layer && neuron !== undefined) factors[Number(neuron)]! *= factor;
  }
  return leaks.map((leak, i) => (factors[i] === 1 ? leak : 1 / Math.max(1, factors[i]! / leak)));
}

/** A hard reset that replaces a soft one goes to 0, where neurons with a soft reset start. */
function editReset(reset: Reset, kind: Edits['reset']): Reset {
  if (kind === null || kind === reset.kind) return reset;
  const { detach } = reset;
  return kind === 'hard' ? { kind, potential: 0, detach } : { kind, detach };
}

/** Sets the factor of a target; 1 removes it. */
export function setTauFactor(edits: Edits, target: string, factor: number): Edits {
  const { [target]: _, ...others } = edits.tau;
  return { ...edits, tau: factor === 1 ? others : { ...others, [target]: factor } };
}

export function hasEdits({ tau, threshold, reset }: Edits): boolean {
  return Object.keys(tau).length > 0 || threshold !== null || reset !== null;
}
