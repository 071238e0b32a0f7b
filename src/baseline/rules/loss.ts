import { nameRun } from '../baseline.ts';
import { type Finding, judgeSize } from '../finding.ts';
import type { Pair } from './pair.ts';
import { findWorst, type Part } from './tolerance.ts';

/**
 * How far apart losses may be, as ratios: for the first epoch, for epochs 2 to 4, for each later window, and for the last eighth, each
 * several times what was measured between instruction sets (docs/check.md has the figures).
 */
export const LOSS_TOLERANCES = { first: 1.03, early: 1.25, later: 2, end: 2.5 } as const;

const lastEarlyEpoch = 4;

/** Fewer epochs have no last eighth that says more than their windows. */
const fewestForEnd = 16;

/**
 * The training losses of the epochs that both runs have: of the first, and geometric means of 2 to 4, 5 to 8, 9 to 16 and so on, and of
 * the last eighth by itself, where a collapse late in training shows.
 */
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
    ...listWindows(epochs).flatMap(([from, to]) => part(from, to, LOSS_TOLERANCES.later)),
    ...(epochs < fewestForEnd ? [] : part(epochs - Math.floor(epochs / 8) + 1, epochs, LOSS_TOLERANCES.end)),
  ];
  return judgeSize('loss', nameRun(now), findWorst(parts).size, parts.map(({ text }) => text).join('; '));
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
