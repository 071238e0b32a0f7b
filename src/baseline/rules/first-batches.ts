import { nameRun } from '../baseline.ts';
import { type Finding, judgeSize } from '../finding.ts';
import type { Pair } from './pair.ts';
import { compareValue, describeParts, type Tolerance } from './tolerance.ts';

interface BatchTolerance {
  /** Up to this batch. */
  readonly upTo: number;
  readonly loss: Tolerance;
  readonly spikeRate: Tolerance;
}

/**
 * At least twice what was measured between instruction sets, Winograd tiles and engines (docs/check.md has the figures): nothing but single
 * precision's rounding in the first two batches; then spikes begin to flip.
 */
export const FIRST_BATCH_TOLERANCES: readonly BatchTolerance[] = [
  { upTo: 2, loss: { absolute: 0, relative: 0.001 }, spikeRate: { absolute: 0.0001, relative: 0.0025 } },
  { upTo: 4, loss: { absolute: 0, relative: 0.005 }, spikeRate: { absolute: 0.002, relative: 0.01 } },
  {
    upTo: Number.POSITIVE_INFINITY,
    loss: { absolute: 0, relative: 0.03 },
    spikeRate: { absolute: 0.008, relative: 0.03 },
  },
];

/** The loss and the spike rates of the first batches, where what is wrong in forward pass, gradient or optimiser shows at once. */
export function judgeFirstBatches({ before, now }: Pair): Finding {
  const parts = now.firstBatches.flatMap((one) => {
    const other = before.firstBatches.find(({ batch }) => batch === one.batch);
    const tolerance = FIRST_BATCH_TOLERANCES.find(({ upTo }) => one.batch <= upTo);
    if (other === undefined || tolerance === undefined) return [];
    return [
      compareValue(`loss of batch ${one.batch}`, other.loss, one.loss, tolerance.loss),
      ...one.spikeRates.map((rate, layer) =>
        compareValue(
          `spike rate of layer ${layer}, batch ${one.batch}`,
          other.spikeRates[layer],
          rate,
          tolerance.spikeRate,
        ),
      ),
    ];
  });
  const { size, text } = describeParts('losses and spike rates', parts);
  return judgeSize('first batches', nameRun(now), size, text);
}
