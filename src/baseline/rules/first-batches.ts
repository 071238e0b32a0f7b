import { nameLayer, nameRun } from '../baseline.ts';
import { type Finding, judgeSize } from '../finding.ts';
import type { Pair } from './pair.ts';
import { compareValue, describeParts, type Tolerance } from './tolerance.ts';

interface BatchTolerance {
  /** Up to this batch. */
  readonly upTo: number;
  readonly loss: Tolerance;
  /** Besides the spikes that may flip in any batch. */
  readonly spikeRate: Tolerance;
  /** By how much all of it grows for another kind of engine, which adds in another order everywhere. */
  readonly otherKind: number;
}

/**
 * At least twice what was measured between instruction sets and Winograd tiles (docs/check.md has the figures): nothing but single
 * precision's rounding in the first two batches; then spikes begin to flip.
 */
export const FIRST_BATCH_TOLERANCES: readonly BatchTolerance[] = [
  {
    upTo: 2,
    loss: { absolute: 0, relative: 0.001 },
    spikeRate: { absolute: 0, relative: 0.0025 },
    otherKind: 4,
  },
  {
    upTo: 4,
    loss: { absolute: 0, relative: 0.005 },
    spikeRate: { absolute: 0.002, relative: 0.01 },
    otherKind: 2,
  },
  {
    upTo: Number.POSITIVE_INFINITY,
    loss: { absolute: 0, relative: 0.03 },
    spikeRate: { absolute: 0.008, relative: 0.03 },
    otherKind: 2,
  },
];

/** So few spikes may flip anywhere: in a small layer, one of them is already a large share. */
const fewestSpikes = 8;

/** The loss and the spike rates of the first batches, where what is wrong in forward pass, gradient or optimiser shows at once. */
export function judgeFirstBatches({ before, now }: Pair): Finding {
  const isOtherKind = kindOf(before.engine) !== kindOf(now.engine);
  const parts = now.firstBatches.flatMap((one) => {
    const other = before.firstBatches.find(({ batch }) => batch === one.batch);
    const tolerance = FIRST_BATCH_TOLERANCES.find(({ upTo }) => one.batch <= upTo);
    if (other === undefined || tolerance === undefined) return [];
    const factor = isOtherKind ? tolerance.otherKind : 1;
    const spikeTolerance = (layer: number): Tolerance => {
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
  const { size, text } = describeParts('losses and spike rates', parts);
  return judgeSize('first batches', nameRun(now), size, text);
}

/** The rate of as many spikes as may flip: the square root of those that there are, as if each came by chance. */
function allowFlips(rate: number, neuronSteps: number): number {
  return neuronSteps === 0 ? 0 : Math.max(fewestSpikes, Math.sqrt(rate * neuronSteps)) / neuronSteps;
}

function widen({ absolute, relative }: Tolerance, factor: number): Tolerance {
  return { absolute: factor * absolute, relative: factor * relative };
}

/** `native` or `tfjs`. */
function kindOf(engine: string): string {
  return engine.split(' ', 1)[0] ?? engine;
}
