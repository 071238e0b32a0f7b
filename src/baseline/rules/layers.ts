import { type LayerFacts, nameLayer, nameRun } from '../baseline.ts';
import { type Finding, judgeSize, skip } from '../finding.ts';
import type { Pair } from './pair.ts';
import { compareValue, describeParts, type Tolerance } from './tolerance.ts';

type LayerRule = 'spike rates' | 'τ' | 'σ(τ)';

/**
 * For the first epoch and for later ones, at least twice what was measured between instruction sets, Winograd tiles and engines
 * (docs/check.md has the figures). Small rates and deviations vary by more of themselves than large ones.
 */
export const LAYER_TOLERANCES: Readonly<Record<LayerRule, { first: Tolerance; later: Tolerance }>> = {
  'spike rates': { first: { absolute: 0.012, relative: 0.04 }, later: { absolute: 0.02, relative: 0.15 } },
  τ: { first: { absolute: 0.01, relative: 0.01 }, later: { absolute: 0.05, relative: 0.1 } },
  'σ(τ)': { first: { absolute: 0.001, relative: 0.1 }, later: { absolute: 0.008, relative: 0.3 } },
};

/** The spike rates of each layer, in the epochs that both have. */
export function judgeSpikeRates(pair: Pair): Finding {
  return judgeLayers('spike rates', pair, ({ spikeRates }) => spikeRates);
}

/** The mean τ of each layer. */
export function judgeTau(pair: Pair): Finding {
  return judgeLayers('τ', pair, ({ tauMeans }) => tauMeans);
}

/** The spread of τ over the neurons of each layer, in the epochs that both have. */
export function judgeTauSpread(pair: Pair): Finding {
  const hasSpread = [pair.before, pair.now].some(({ layers }) =>
    layers.some(({ tauStds }) => tauStds.some((std) => std > 0)),
  );
  if (!hasSpread) return skip('σ(τ)', nameRun(pair.now), 'nothing to compare: one τ per layer');
  return judgeLayers('σ(τ)', pair, ({ tauStds }) => tauStds);
}

function judgeLayers(
  rule: LayerRule,
  { before, now }: Pair,
  valuesOf: (layer: LayerFacts) => readonly number[],
): Finding {
  const tolerances = LAYER_TOLERANCES[rule];
  const parts = now.layers.flatMap((one) => {
    const other = before.layers.find(({ epoch }) => epoch === one.epoch);
    if (other === undefined) return [];
    const tolerance = one.epoch === 1 ? tolerances.first : tolerances.later;
    return valuesOf(one).map((value, layer) =>
      compareValue(`${nameLayer(layer)}, epoch ${one.epoch}`, valuesOf(other)[layer], value, tolerance),
    );
  });
  const { size, text } = describeParts('values', parts);
  return judgeSize(rule, nameRun(now), size, text);
}
