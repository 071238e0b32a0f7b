import { buildNetwork } from '../snn/networks.ts';
import { logitOfTau, tauOfLogit } from '../snn/neurons.ts';
import { spikingLayers } from '../snn/spec.ts';
import type { NetworkValues } from './messages.ts';
import { stateOf } from './network-values.ts';
import type { Edits, TauEdit } from './view-state.ts';

/** τ of 1 step has an infinite logit. */
const SHORTEST_TAU = 1.001;

/**
 * The network with a reader's changes, to be trained on from there: threshold, reset, and τ where it is learned. A neuron's own change of τ is
 * left out where neurons share τ.
 *
 * @returns `adopted`: the changes of τ that are in the values now
 */
export function adoptEdits(
  { config, values }: NetworkValues,
  { tau, threshold, reset }: Edits,
): { readonly network: NetworkValues; readonly adopted: readonly TauEdit[] } {
  const { kind, detach } = config.reset;
  const network = {
    config: {
      ...config,
      ...(threshold === null ? {} : { threshold }),
      ...(reset === null || reset === kind ? {} : { reset: { kind: reset, detach } }),
    },
    values: values.slice(),
  };
  const adopted = tau.filter(
    ({ neuron }) => config.neuron === 'plif' && (neuron === null || config.tau.per === 'neuron'),
  );
  const state = stateOf(network);
  for (const [at, { name }] of spikingLayers(buildNetwork(config)).entries()) {
    const own = adopted.filter(({ layer }) => layer === null || layer === at);
    const logits = state.get(`${name}.w`);
    if (own.length === 0 || logits?.dtype !== 'F32') continue;
    const { data } = logits;
    for (const [i, logit] of data.entries()) {
      const factor = own.reduce(
        (all, edit) => (edit.neuron === null || edit.neuron === i ? all * edit.factor : all),
        1,
      );
      if (factor !== 1) data[i] = logitOfTau(Math.max(SHORTEST_TAU, factor * tauOfLogit(logit)));
    }
  }
  return { network, adopted };
}
