import type { State, Tensor } from '../formats/tensor.ts';
import { logitOfTau, tauOfLogit } from '../network/neurons.ts';
import { type LayerOf, type NetworkSpec, spikingLayers } from '../network/spec.ts';
import type { LayerRow } from '../results/metrics.ts';
import { QUANTILES, type TauQuantiles } from '../results/tau-file.ts';

/** Spread of the time constants over a layer's neurons. */
type TauStatistics = Omit<LayerRow, 'spikeRate'>;

/** The part of a state that is about τ: the logits w, as they are now, since an engine may change its own arrays. */
export function copyLogits(spec: NetworkSpec, state: State): State {
  const copies = new Map<string, Tensor>();
  for (const { name } of spikingLayers(spec)) {
    const w = state.get(`${name}.w`);
    if (w?.dtype === 'F32') copies.set(`${name}.w`, { ...w, data: w.data.slice() });
  }
  return copies;
}

/**
 * Statistics of each spiking layer's time constants and their logits w.
 *
 * @param before, after the state at both ends of an epoch
 */
export function tauStatistics(spec: NetworkSpec, before: State, after: State): TauStatistics[] {
  return spikingLayers(spec).map((layer) => {
    const w = logitsOf(layer, after);
    const tau = w.map(tauOfLogit);
    const [mean, wStd] = meanAndStd(w);
    const wMean = Number.isFinite(mean) || layer.neuron.kind === 'plif' ? mean : null;
    const [tauMean, tauStd] = meanAndStd(tau);
    const moved = logitsOf(layer, before).reduce(
      (sum, one, i) => sum + Math.abs(tau[i]! - tauOfLogit(one)),
      0,
    );
    return { wMean, wStd, tauMean, tauStd, tauChange: moved / tau.length };
  });
}

/** A copy; a layer without logits has the τ of its specification. */
function logitsOf({ name, neuron }: Pick<LayerOf<'neuron'>, 'name' | 'neuron'>, state: State): Float64Array {
  const logits = state.get(`${name}.w`)?.data;
  return Float64Array.from(logits instanceof Float32Array ? logits : [logitOfTau(neuron.tau.mean)]);
}

function meanAndStd(values: Float64Array): [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return [mean, 0];
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / (values.length - 1))];
}

/**
 * The quantiles of every spiking layer's time constants, from input to output. Between two neurons they are interpolated linearly
 * (definition 7 of Hyndman and Fan).
 *
 * @param state with `<layer>.w`, the logits of 1/τ; a layer without has the τ of its specification
 * @see Hyndman and Fan 1996, Am. Stat. 50, 361-365
 */
export function tauQuantiles(spec: NetworkSpec, state: State): TauQuantiles[] {
  return spikingLayers(spec).map(({ name, neuron }) => {
    const sorted = logitsOf({ name, neuron }, state).sort();
    const count = sorted.length;
    // τ falls with w, so that the largest logit belongs to the smallest τ.
    const tauAt = (rank: number): number => tauOfLogit(sorted[count - 1 - rank] ?? Number.NaN);
    if (count === 1) return { count, taus: [tauAt(0)] };
    const taus = Array.from({ length: QUANTILES + 1 }, (_, quantile) => {
      const place = ((count - 1) * quantile) / QUANTILES;
      const below = Math.floor(place);
      const share = place - below;
      return share === 0 ? tauAt(below) : (1 - share) * tauAt(below) + share * tauAt(below + 1);
    });
    return { count, taus };
  });
}
