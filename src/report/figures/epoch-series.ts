import { meanInterval, summarise } from '../../stats/means.ts';
import { movingMean, weightIn, windowAt } from '../../stats/moving-mean.ts';
import { SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import type { EpochPoint, RunResult, Series } from '../data/results.ts';

export interface EpochRange {
  readonly epoch: number;
  readonly low: number;
  readonly high: number;
}

/** One quantity over training, ready to draw. */
export interface EpochSeries {
  readonly line: readonly EpochPoint[];
  /** The measured values, if `line` is a moving mean of them. */
  readonly raw: readonly EpochPoint[];
  /** The spread over several seeds: see `describeBand`. */
  readonly band: readonly EpochRange[];
}

/** As in the thesis. */
export const SMOOTHING_EPOCHS = 64;

/** What bands show, in words for legends. */
export function describeBand(seeds: number): string {
  return seeds < SEEDS_FOR_INTERVAL ? 'range over seeds' : '95\u00a0% interval of the mean over seeds';
}

/** With this many epochs, single ones can no longer be told apart, and only the trend is readable. */
export const SMOOTHED_FROM_EPOCHS = 200;

export function isSmoothed(runs: readonly RunResult[]): boolean {
  return Math.max(...runs.map((run) => run.metrics.epochs.length)) >= SMOOTHED_FROM_EPOCHS;
}

export interface SeriesOptions {
  readonly smoothed: boolean;
  /** How many epochs a moving mean is over, an even number; default {@link SMOOTHING_EPOCHS}. */
  readonly window?: number;
  /** The values that the quantity can have; an interval does not reach beyond. */
  readonly bounds?: readonly [number, number];
}

/**
 * One quantity of a model's runs over the epochs: the mean over seeds, with a band if there are several. With many epochs, each seed is
 * smoothed first. From three seeds on, the band is Student's 95 % interval of the mean at that epoch; with two, it is their range.
 */
export function buildSeries(
  runs: readonly RunResult[],
  pick: (run: RunResult) => Series,
  {
    smoothed,
    window = SMOOTHING_EPOCHS,
    bounds = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  }: SeriesOptions,
): EpochSeries {
  const drawn = runs.map((run) => {
    const values = pick(run);
    return toPoints(run.metrics.epochs, smoothed ? movingMean(values, window / 2) : values);
  });
  const [only] = drawn;
  const [run] = runs;
  if (drawn.length === 1 && only !== undefined && run !== undefined) {
    return { line: only, raw: smoothed ? toPoints(run.metrics.epochs, pick(run)) : [], band: [] };
  }

  const perEpoch = new Map<number, number[]>();
  for (const { epoch, value } of drawn.flat()) {
    const values = perEpoch.get(epoch) ?? [];
    values.push(value);
    perEpoch.set(epoch, values);
  }
  const line: EpochPoint[] = [];
  const band: EpochRange[] = [];
  for (const [epoch, values] of [...perEpoch].sort(([a], [b]) => a - b)) {
    line.push({ epoch, value: summarise(values).mean });
    const { low, high } = spanOf(values);
    band.push({ epoch, low: Math.max(low, bounds[0]), high: Math.min(high, bounds[1]) });
  }
  return { line, raw: [], band };
}

function spanOf(values: readonly number[]): { low: number; high: number } {
  const { min, max } = summarise(values);
  if (values.length < SEEDS_FOR_INTERVAL || min === max) return { low: min, high: max };
  const { low, high } = meanInterval(values);
  return { low: low ?? min, high: high ?? max };
}

/**
 * Values that do not come from a run, such as the authors' logs: smoothed like those of a run, at epochs with a value.
 *
 * @param points in ascending epochs
 * @param lastEpoch later points are not drawn, but still count in the moving means
 */
export function buildPointSeries(
  points: readonly EpochPoint[],
  smoothed: boolean,
  lastEpoch: number,
  window = SMOOTHING_EPOCHS,
): EpochSeries {
  const line = smoothed ? smoothPoints(points, window / 2) : points;
  return { line: line.filter(({ epoch }) => epoch <= lastEpoch), raw: [], band: [] };
}

/** As `movingMean`, but by epoch instead of list position: most epochs may have no value. */
function smoothPoints(points: readonly EpochPoint[], reach: number): EpochPoint[] {
  const first = points[0]?.epoch ?? 0;
  const last = points.at(-1)?.epoch ?? 0;
  let from = 0;
  return points.map(({ epoch }) => {
    const window = windowAt(epoch - first, last - epoch, reach);
    while ((points[from]?.epoch ?? epoch) < epoch - window.left) from += 1;
    let sum = 0;
    let weights = 0;
    for (let at = from; at < points.length; at++) {
      const point = points[at];
      if (point === undefined || point.epoch > epoch + window.right) break;
      const weight = weightIn(window, point.epoch - epoch);
      sum += weight * point.value;
      weights += weight;
    }
    return { epoch, value: sum / weights };
  });
}

/** Without the values that a logarithmic scale cannot show. */
export function onlyPositive({ line, raw, band }: EpochSeries): EpochSeries {
  const isPositive = ({ value }: EpochPoint): boolean => value > 0;
  return {
    line: line.filter(isPositive),
    raw: raw.filter(isPositive),
    band: band.filter(({ low }) => low > 0),
  };
}

/**
 * Where the values of a long training settle: the smallest value after the first tenth of the epochs; null without any.
 *
 * @param epochs first and last of the axis
 */
export function settledLow(
  list: readonly EpochSeries[],
  [first, last]: readonly [number, number],
): number | null {
  const from = first + (last - first) / 10;
  const isLate = ({ epoch }: { readonly epoch: number }): boolean => epoch >= from;
  const late = list.map(({ line, raw, band }) => ({
    line: line.filter(isLate),
    raw: raw.filter(isLate),
    band: band.filter(isLate),
  }));
  return drawnExtent(late)?.[0] ?? null;
}

/** Smallest and largest value drawn; null if there is none. */
export function drawnExtent(list: readonly EpochSeries[]): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const take = (value: number): void => {
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const { line, raw, band } of list) {
    for (const point of line) take(point.value);
    for (const point of raw) take(point.value);
    for (const range of band) {
      take(range.low);
      take(range.high);
    }
  }
  return low > high ? null : [low, high];
}

function toPoints(epochs: readonly number[], values: Series): EpochPoint[] {
  return epochs.flatMap((epoch, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ epoch, value }];
  });
}
