import { nameRun } from '../baseline.ts';
import { type Finding, judgeSize } from '../finding.ts';
import type { Pair } from './pair.ts';
import { findWorst, type Part } from './tolerance.ts';

/**
 * How far apart losses may be, as ratios: for the first epoch, for epochs 2 to 4, and for all later ones together, each several times what
 * was measured between instruction sets, Winograd tiles and engines (docs/check.md has the figures).
 */
export const LOSS_TOLERANCES = { first: 1.03, early: 1.25, later: 2 } as const;

const lastEarlyEpoch = 4;

/** The training losses of the epochs that both runs have: of the first, and the geometric means of 2 to 4 and of all later ones. */
export function judgeLoss({ before, now }: Pair): Finding {
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
    ...part(lastEarlyEpoch + 1, epochs, LOSS_TOLERANCES.later),
  ];
  return judgeSize('loss', nameRun(now), findWorst(parts).size, parts.map(({ text }) => text).join('; '));
}

/** @param allowed the largest ratio of the larger to the smaller */
function compareRatio(what: string, before = Number.NaN, now = Number.NaN, allowed: number): Part {
  const size = before === now ? 0 : Math.abs(Math.log(now / before)) / Math.log(allowed);
  const change =
    before === now ? 'equal' : `${formatChange(now / before)}, allowed ${formatAllowed(allowed)}`;
  return {
    size: Number.isNaN(size) ? Number.POSITIVE_INFINITY : size,
    text: `${what} ${formatLoss(now)} (${change})`,
  };
}

/** Zero, where a regularised loss vanished, is as good as the smallest normal number. */
function geometricMean(values: readonly number[]): number {
  const smallest = 1e-38;
  return Math.exp(
    values.reduce((sum, value) => sum + Math.log(Math.max(value, smallest)), 0) / values.length,
  );
}

function formatLoss(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function formatChange(ratio: number): string {
  const percent = 100 * (ratio - 1);
  return `${percent < 0 ? '−' : '+'}${Number(Math.abs(percent).toPrecision(2))} %`;
}

function formatAllowed(ratio: number): string {
  return ratio >= 2 ? `factor ${ratio}` : `±${Number((100 * (ratio - 1)).toPrecision(2))} %`;
}
