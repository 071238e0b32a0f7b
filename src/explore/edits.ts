import type { Neurons } from '../snn/forward.ts';
import type { Edits } from './view-state.ts';

/**
 * The neurons with a reader's changes. τ becomes `max(1, τ · factor)`, factors of several edits multiplied; a neuron whose τ was not edited
 * keeps its leak to the bit.
 */
export function applyEdits(neurons: readonly Neurons[], edits: Edits): Neurons[] {
  return neurons.map((layer, at) => ({
    ...layer,
    leaks: editLeaks(layer, at, edits),
    threshold: edits.threshold ?? layer.threshold,
    reset: editReset(layer.reset, edits.reset),
  }));
}

function editLeaks({ leaks }: Neurons, at: number, { tau }: Edits): Float32Array {
  const own = tau.filter(({ layer }) => layer === null || layer === at);
  if (own.length === 0) return leaks;
  return leaks.map((leak, neuron) => {
    const factor = own
      .filter((edit) => edit.neuron === null || edit.neuron === neuron)
      .reduce((product, edit) => product * edit.factor, 1);
    return factor === 1 ? leak : 1 / Math.max(1, factor / leak);
  });
}

function editReset(reset: Neurons['reset'], kind: Edits['reset']): Neurons['reset'] {
  if (kind === null || kind === reset.kind) return reset;
  const { detach } = reset;
  return kind === 'hard' ? { kind, potential: 0, detach } : { kind, detach };
}
