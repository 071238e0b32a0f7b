import { nameLayer } from './baseline.ts';
import {
  type BaselineTolerance,
  compareValue,
  findWorst,
  formatNumber,
  measure,
  measureParts,
  type Pair,
  type Part,
  type RuleOutcome,
  skip,
} from './finding.ts';

interface BatchTolerance {
  /** Up to this batch. */
  readonly upTo: number;
  readonly loss: BaselineTolerance;
  /** Besides the spikes that may flip in any batch. */
  readonly spikeRate: BaselineTolerance;
  /** By how much all of it grows for another kind of engine, which adds in another order everywhere. */
  readonly otherKind: number;
}

/**
 * At least twice what was measured between instruction sets and Winograd tiles (docs/check.md has the figures): nothing but single
 * precision's rounding in the first two batches; then spikes begin to flip.
 */
const FIRST_BATCH_TOLERANCES: readonly BatchTolerance[] = [
  { upTo: 2, loss: within(0, 0.001), spikeRate: within(0, 0.0025), otherKind: 4 },
  { upTo: 4, loss: within(0, 0.005), spikeRate: within(0.002, 0.01), otherKind: 2 },
  { upTo: Number.POSITIVE_INFINITY, loss: within(0, 0.03), spikeRate: within(0.008, 0.03), otherKind: 2 },
];

function within(absolute: number, relative: number): BaselineTolerance {
  return { absolute, relative };
}

/** This many spikes may flip in any layer: in a small one, a single spike is already a large share. */
const fewestSpikes = 8;

/** The loss and the spike rates of the first batches: errors in the forward pass, the gradient or the optimiser show here at once. */
export function judgeFirstBatches({ before, now }: Pair): RuleOutcome {
  const isOtherKind = kindOf(before.engine) !== kindOf(now.engine);
  const parts = now.firstBatches.flatMap((one) => {
    const other = before.firstBatches.find(({ batch }) => batch === one.batch);
    const tolerance = FIRST_BATCH_TOLERANCES.find(({ upTo }) => one.batch <= upTo);
    if (other === undefined || tolerance === undefined) return [];
    const factor = isOtherKind ? tolerance.otherKind : 1;
    const spikeTolerance = (layer: number): BaselineTolerance => {
      const flips = allowFlips(other.spikeRates[layer] ?? 0, before.neuronSteps[layer] ?? 0);
      return widen(
        { ...tolerance.spikeRate, absolute: Math.max(tolerance.spikeRate.absolute, flips) },
        factor,
      );
    };
    return [
      compareValue(`loss of batch ${one.batch}`, other.loss, one.loss, widen(tolerance.loss, factor)),
      ...one.spikeRates.map((rate, layer) =>
        compareValue(
          `spike rate of ${nameLayer(layer)}, batch ${one.batch}`,
          other.spikeRates[layer],
          rate,
          spikeTolerance(layer),
        ),
      ),
    ];
  });
  return measureParts('losses and spike rates', parts);
}

/** The rate of as many spikes as may flip: the square root of those that there are, as if each came by chance. */
function allowFlips(rate: number, neuronSteps: number): number {
  return neuronSteps === 0 ? 0 : Math.max(fewestSpikes, Math.sqrt(rate * neuronSteps)) / neuronSteps;
}

function widen({ absolute, relative }: BaselineTolerance, factor: number): BaselineTolerance {
  return within(factor * absolute, factor * relative);
}

/** `native`, of which `wasm` is a build, or `tfjs`. */
function kindOf(engine: string): string {
  const [name = engine] = engine.split(' ', 1);
  return name === 'wasm' ? 'native' : name;
}

/**
 * How far apart losses may be, as ratios: for the first epoch, for epochs 2 to 4, for each later window, and for the last eighth, each
 * several times what was measured between instruction sets (docs/check.md has the figures).
 */
const LOSS_TOLERANCES = { first: 1.03, early: 1.25, later: 2, end: 2.5 } as const;

const lastEarlyEpoch = 4;

/** Fewer epochs have no last eighth that says more than their windows. */
const fewestForEnd = 16;

/**
 * The training losses of the epochs that both runs have: of the first, and geometric means of 2 to 4, 5 to 8, 9 to 16 and so on, and of
 * the last eighth by itself, where a collapse late in training shows.
 */
export function judgeLoss({ before, now }: Pair): RuleOutcome {
  const epochs = Math.min(before.epochs, now.epochs);
  const part = (from: number, to: number, allowed: number): Part[] => {
    if (to < from) return [];
    const [old, fresh] = [before, now].map(({ trainLosses }) =>
      geometricMean(trainLosses.slice(from - 1, to)),
    );
    return [compareRatio(from === to ? `epoch ${from}` : `epochs ${from} to ${to}`, old, fresh, allowed)];
  };
  const parts = [
    ...part(1, Math.min(epochs, 1), LOSS_TOLERANCES.first),
    ...part(2, Math.min(epochs, lastEarlyEpoch), LOSS_TOLERANCES.early),
    ...listWindows(epochs).flatMap(([from, to]) => part(from, to, LOSS_TOLERANCES.later)),
    ...(epochs < fewestForEnd ? [] : part(epochs - Math.floor(epochs / 8) + 1, epochs, LOSS_TOLERANCES.end)),
  ];
  return measure(findWorst(parts).size, parts.map(({ text }) => text).join('; '));
}

/** Epochs 5 to 8, 9 to 16, …: each as long as all before it; the last may be cut short. */
function listWindows(epochs: number): [number, number][] {
  const windows: [number, number][] = [];
  for (let from = lastEarlyEpoch + 1; from <= epochs; from = 2 * from - 1)
    windows.push([from, Math.min(epochs, 2 * from - 2)]);
  return windows;
}

/** @param allowed the largest ratio of the larger to the smaller */
function compareRatio(what: string, before = Number.NaN, now = Number.NaN, allowed: number): Part {
  const size = before === now ? 0 : Math.abs(Math.log(now / before)) / Math.log(allowed);
  const change =
    before === now ? 'equal' : `${formatChange(now / before)}, allowed ${formatAllowed(allowed)}`;
  return {
    size: Number.isNaN(size) ? Number.POSITIVE_INFINITY : size,
    text: `${what} ${formatNumber(now)} (${change})`,
  };
}

/** Zero, where a regularised loss vanished, is as good as the smallest normal number. */
function geometricMean(values: readonly number[]): number {
  const smallest = 1e-38;
  return Math.exp(
    values.reduce((sum, value) => sum + Math.log(Math.max(value, smallest)), 0) / values.length,
  );
}

function formatChange(ratio: number): string {
  const percent = 100 * (ratio - 1);
  return `${percent < 0 ? '−' : '+'}${Number(Math.abs(percent).toPrecision(2))} %`;
}

function formatAllowed(ratio: number): string {
  return ratio >= 2 ? `factor ${ratio}` : `±${Number((100 * (ratio - 1)).toPrecision(2))} %`;
}

/**
 * For the first epoch and for later ones, at least twice what was measured between instruction sets, Winograd tiles and engines
 * (docs/check.md has the figures). Small rates and deviations vary by more of themselves than large ones.
 */
const LAYER_TOLERANCES = {
  spikeRates: { first: within(0.012, 0.04), later: within(0.02, 0.15) },
  tauMeans: { first: within(0.01, 0.01), later: within(0.05, 0.1) },
  tauStds: { first: within(0.001, 0.1), later: within(0.008, 0.3) },
} as const;

/** A measure of each layer, in the epochs that both have. */
export function judgeLayers(measure: keyof typeof LAYER_TOLERANCES, { before, now }: Pair): RuleOutcome {
  const tolerances = LAYER_TOLERANCES[measure];
  const parts = now.layers.flatMap((one) => {
    const other = before.layers.find(({ epoch }) => epoch === one.epoch);
    if (other === undefined) return [];
    const tolerance = one.epoch === 1 ? tolerances.first : tolerances.later;
    return one[measure].map((value, layer) =>
      compareValue(`${nameLayer(layer)}, epoch ${one.epoch}`, other[measure][layer], value, tolerance),
    );
  });
  return measureParts('values', parts);
}

/** The spread of τ over the neurons of each layer. */
export function judgeTauSpread(pair: Pair): RuleOutcome {
  const hasSpread = [...pair.before.layers, ...pair.now.layers].some(({ tauStds }) =>
    tauStds.some((std) => std > 0),
  );
  return hasSpread ? judgeLayers('tauStds', pair) : skip('nothing to compare: one τ per layer');
}
