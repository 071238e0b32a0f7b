import type { Neurons } from '../snn/forward.ts';
import { buildNetwork } from '../snn/networks.ts';
import { logitOfTau, tauOfLogit } from '../snn/neurons.ts';
import { type Reset, spikingLayers } from '../snn/spec.ts';
import type { NetworkValues } from './messages.ts';
import { stateOf } from './network-values.ts';
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
    leaks: editLeaks(layer.leaks, edits.tau, at),
    threshold: edits.threshold ?? layer.threshold,
    reset: editReset(layer.reset, edits.reset),
  }));
}

function editLeaks(leaks: Float32Array, tau: Edits['tau'], layer: number): Float32Array {
  const factors = listFactors(tau, layer, leaks.length);
  return leaks.map((leak, i) => (factors[i] === 1 ? leak : 1 / Math.max(1, factors[i]! / leak)));
}

/** What τ of each neuron of a layer is multiplied by. */
function listFactors(tau: Edits['tau'], layer: number, neurons: number): Float64Array {
  const factors = new Float64Array(neurons).fill((tau.all ?? 1) * (tau[layer] ?? 1));
  for (const [target, factor] of Object.entries(tau)) {
    const [at, neuron] = target.split('.').map(Number);
    if (at === layer && neuron !== undefined) factors[neuron]! *= factor;
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
  const isLearned = (target: string) =>
    config.neuron === 'plif' && (config.tau.per === 'neuron' || !target.includes('.'));
  const select = (learned: boolean) =>
    Object.fromEntries(Object.entries(tau).filter(([target]) => isLearned(target) === learned));
  const state = stateOf(network);
  for (const [at, { name }] of spikingLayers(buildNetwork(config)).entries()) {
    const data = state.get(`${name}.w`)?.data;
    if (data === undefined) continue;
    for (const [i, factor] of listFactors(select(true), at, data.length).entries())
      if (factor !== 1) data[i] = logitOfTau(Math.max(SHORTEST_TAU, factor * tauOfLogit(data[i]!)));
  }
  return { network, left: { tau: select(false), threshold, reset } };
}

/** Sets the factor of a target; 1 removes it. */
export function setTauFactor(edits: Edits, target: string, factor: number): Edits {
  const { [target]: _, ...others } = edits.tau;
  return { ...edits, tau: factor === 1 ? others : { ...others, [target]: factor } };
}

export function hasEdits({ tau, threshold, reset }: Edits): boolean {
  return Object.keys(tau).length > 0 || threshold !== null || reset !== null;
}
