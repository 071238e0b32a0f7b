import { csvFormatRows } from 'd3-dsv';
import { logitOfTau, tauOfLogit } from '../snn/neurons.ts';
import { type NetworkSpec, spikingLayers } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';

/** Quantiles in hundredths, with both extremes: enough to draw a distribution of millions of neurons, and small to keep. */
const QUANTILES = 100;

/** The distribution of a layer's time constants. */
export interface TauQuantiles {
  /** How many τ the layer has: one, or one per neuron. */
  readonly count: number;
  /** τ in time steps at the quantiles 0, 0.01, …, 1; a single value if there is a single τ. */
  readonly taus: readonly number[];
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
    const logits = state.get(`${name}.w`)?.data;
    const sorted =
      logits instanceof Float32Array
        ? Float32Array.from(logits).sort()
        : Float64Array.of(logitOfTau(neuron.tau.mean));
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

/** tau.csv: `state,layer,count,quantile,tau`, for the states `chosen` and `last`; layers count from 0. */
export function formatTauQuantiles(
  states: Readonly<Record<'chosen' | 'last', readonly TauQuantiles[]>>,
): string {
  const lines = (['chosen', 'last'] as const).flatMap((state) =>
    states[state].flatMap(({ count, taus }, layer) =>
      taus.map((tau, i) =>
        // The median of a single τ is that τ. Seven digits are those of the logits.
        [state, layer, count, count === 1 ? 0.5 : i / QUANTILES, Number(tau.toPrecision(7))].map(String),
      ),
    ),
  );
  return `${csvFormatRows([['state', 'layer', 'count', 'quantile', 'tau'], ...lines])}\n`;
}
