import type { Readings, ShareUnit } from '../hover/readings.ts';
import type { EpochPoint } from '../results.ts';

/** Units of shares by the format of their axis. */
const SHARE_UNITS: ReadonlyMap<string, ShareUnit> = new Map([
  ['percent', { digits: 1, unit: '\u00a0%' }],
  ['fine-percent', { digits: 2, unit: '\u00a0%' }],
  ['points', { digits: 1, unit: '\u00a0points' }],
]);

interface ReadablePanel {
  readonly lines: readonly {
    readonly label: string;
    readonly color: string;
    readonly series: { readonly line: readonly EpochPoint[] };
  }[];
  readonly epochs: readonly [number, number];
  readonly format: string;
}

/** The values of a panel's lines, for its readers. */
export function listReadings({ lines, epochs: [first, last], format }: ReadablePanel): Readings {
  const share = SHARE_UNITS.get(format);
  return {
    axis: 'epoch',
    domain: domainOf(first, last),
    lines: lines.map(({ label, color, series }) => ({
      label,
      color,
      points: series.line.map(({ epoch, value }) => [epoch, value]),
    })),
    ...(share === undefined ? {} : { share }),
  };
}

/** The ends of an axis over epochs; a single epoch is in its middle. */
export function domainOf(first: number, last: number): [number, number] {
  return first === last ? [first - 1, last + 1] : [first, last];
}
