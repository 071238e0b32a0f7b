import type { Neurons } from '../snn/forward.ts';
import { buildNetwork } from '../snn/networks.ts';
import { logitOfTau, tauOfLogit } from '../snn/neurons.ts';
import { type Reset, spikingLayers } from '../snn/spec.ts';
import type { NetworkValues } from './messages.ts';
import { stateOf } from './network-values.ts';
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
    leaks: editLeaks(layer.leaks, ofLayer(edits.tau, at)),
    threshold: edits.threshold ?? layer.threshold,
    reset: editReset(layer.reset, edits.reset),
  }));
}

function ofLayer(edits: readonly TauEdit[], at: number): readonly TauEdit[] {
  return edits.filter(({ layer }) => layer === null || layer === at);
}

function editLeaks(leaks: Float32Array, edits: readonly TauEdit[]): Float32Array {
  if (edits.length === 0) return leaks;
  const factors = multiplyFactors(edits, leaks.length);
  return leaks.map((leak, i) => (factors[i] === 1 ? leak : 1 / Math.max(1, factors[i]! / leak)));
}

/** What τ of each neuron of a layer is multiplied by. @param edits of this layer */
function multiplyFactors(edits: readonly TauEdit[], neurons: number): Float64Array {
  const factors = new Float64Array(neurons).fill(1);
  for (const { neuron, factor } of edits) {
    const [start, end] = neuron === null ? [0, neurons] : [neuron, neuron + 1];
    for (let i = start; i < end; i++) factors[i]! *= factor;
  }
  return factors;
}

/** A hard reset that replaces a soft one goes to 0, where neurons with a soft reset start. */
function editReset(reset: Reset, kind: Edits['reset']): Reset {
  if (kind === null || kind === reset.kind) return reset;
  const { detach } = reset;
  return kind === 'hard' ? { kind, potential: 0, detach } : { kind, detach };
}

/** τ of 1 step has an infinite logit. */
const SHORTEST_TAU = 1.001;

/**
 * The network with a reader's changes, to be trained on from there: threshold, reset, and τ where it is learned. A neuron's own change of τ is
 * left out where neurons share τ.
 *
 * @returns `left`: the changes that are not in the values; they still apply on top of them
 */
export function adoptEdits(
  { config, values }: NetworkValues,
  { tau, threshold, reset }: Edits,
): { readonly network: NetworkValues; readonly left: Edits } {
  const { kind, detach } = config.reset;
  const network = {
    config: {
      ...config,
      ...(threshold === null ? {} : { threshold }),
      ...(reset === null || reset === kind ? {} : { reset: { kind: reset, detach } }),
    },
    values: values.slice(),
  };
  const isLearned = ({ neuron }: TauEdit) =>
    config.neuron === 'plif' && (neuron === null || config.tau.per === 'neuron');
  const adopted = tau.filter(isLearned);
  const state = stateOf(network);
  for (const [at, { name }] of spikingLayers(buildNetwork(config)).entries()) {
    const data = state.get(`${name}.w`)?.data;
    if (data === undefined) continue;
    const factors = multiplyFactors(ofLayer(adopted, at), data.length);
    for (const [i, factor] of factors.entries())
      if (factor !== 1) data[i] = logitOfTau(Math.max(SHORTEST_TAU, factor * tauOfLogit(data[i]!)));
  }
  return { network, left: { tau: tau.filter((edit) => !isLearned(edit)), threshold, reset } };
}

/** Whether some τ would be below 1 step without its limit. @param before the same neurons without the edits */
export function isTauLimited(neurons: readonly Neurons[], before: readonly Neurons[]): boolean {
  return neurons.some(({ leaks }, at) => leaks.some((leak, i) => leak === 1 && before[at]!.leaks[i]! < 1));
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
