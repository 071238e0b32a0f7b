import { meanInterval, movingMean, summarise } from '../../stats/means.ts';
import { SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import type { EpochPoint, RunResult, Series } from '../data/results.ts';

/** One quantity over training, ready to draw. */
export interface EpochSeries {
  readonly line: readonly EpochPoint[];
  /** The measured values, if `line` is a moving mean of them. */
  readonly raw: readonly EpochPoint[];
  /** The spread over several seeds: see `describeBand`. */
  readonly band: readonly { readonly epoch: number; readonly low: number; readonly high: number }[];
}

/** As in the thesis. */
export const SMOOTHING_EPOCHS = 64;

/** With this many epochs, single ones can no longer be told apart, and only the trend is readable. */
export const SMOOTHED_FROM_EPOCHS = 200;

export function isSmoothed(runs: readonly RunResult[]): boolean {
  return Math.max(...runs.map((run) => run.metrics.epochs.length)) >= SMOOTHED_FROM_EPOCHS;
}

export interface SeriesOptions {
  /** How many epochs a moving mean is over, an even number; null for the values as measured. */
  readonly window: number | null;
  /** The values that the quantity can have; an interval does not reach beyond. */
  readonly bounds: readonly [number, number];
}

/**
 * One quantity of a model's runs over the epochs: the mean over seeds, with a band if there are several. With many epochs, each seed is
 * smoothed first. From three seeds on, the band is Student's 95 % interval of the mean at that epoch; with two, it is their range.
 */
export function buildSeries(
  runs: readonly RunResult[],
  pick: (run: RunResult) => Series,
  { window, bounds }: SeriesOptions,
): EpochSeries {
  const measured = runs.map((run) => toPoints(run.metrics.epochs, pick(run)));
  const drawn =
    window === null
      ? measured
      : runs.map((run) => toPoints(run.metrics.epochs, movingMean(pick(run), window / 2)));
  if (runs.length <= 1) return { line: drawn.flat(), raw: window === null ? [] : measured.flat(), band: [] };
  return averageSeeds(drawn, bounds);
}

/** The mean over seeds at each epoch, with a band. @param seeds the points of each, more than one */
export function averageSeeds(
  seeds: readonly (readonly EpochPoint[])[],
  bounds: SeriesOptions['bounds'],
): EpochSeries {
  const perEpoch = new Map<number, number[]>();
  for (const { epoch, value } of seeds.flat()) {
    perEpoch.set(epoch, [...(perEpoch.get(epoch) ?? []), value]);
  }
  const sorted = [...perEpoch].sort(([a], [b]) => a - b);
  return {
    line: sorted.map(([epoch, values]) => ({ epoch, value: summarise(values).mean })),
    raw: [],
    band: sorted.map(([epoch, values]) => {
      const [low, high] = spanOf(values);
      return { epoch, low: Math.max(low, bounds[0]), high: Math.min(high, bounds[1]) };
    }),
  };
}

function spanOf(values: readonly number[]): [number, number] {
  const { min, max } = summarise(values);
  const { low, high } = meanInterval(values);
  return values.length < SEEDS_FOR_INTERVAL || low === null || high === null ? [min, max] : [low, high];
}

/**
 * Values that do not come from a run, such as the authors' logs: smoothed like those of a run, at epochs with a value.
 *
 * @param points in ascending epochs
 * @param lastEpoch later points are not drawn, but still count in the moving means
 */
export function buildPointSeries(
  points: readonly EpochPoint[],
  { window }: Pick<SeriesOptions, 'window'>,
  lastEpoch: number,
): EpochSeries {
  const first = points[0]?.epoch ?? 0;
  const dense = new Array<number | null>((points.at(-1)?.epoch ?? -1) - first + 1).fill(null);
  for (const { epoch, value } of points) dense[epoch - first] = value;
  const smooth = window === null ? [] : movingMean(dense, window / 2);
  const line = points.map(({ epoch, value }) => ({ epoch, value: smooth[epoch - first] ?? value }));
  return { line: line.filter(({ epoch }) => epoch <= lastEpoch), raw: [], band: [] };
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

/** Smallest and largest value drawn from an epoch on, by default from the first; null if there is none. */
export function drawnExtent(list: readonly EpochSeries[], from = 0): [number, number] | null {
  let [lowest, highest] = [Infinity, -Infinity];
  const take = (epoch: number, low: number, high: number): void => {
    if (epoch < from) return;
    lowest = Math.min(lowest, low);
    highest = Math.max(highest, high);
  };
  for (const { line, raw, band } of list) {
    for (const { epoch, value } of [...line, ...raw]) take(epoch, value, value);
    for (const { epoch, low, high } of band) take(epoch, low, high);
  }
  return lowest > highest ? null : [lowest, highest];
}

function toPoints(epochs: readonly number[], values: Series): EpochPoint[] {
  return epochs.flatMap((epoch, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ epoch, value }];
  });
}
