import { colorVariable } from '../drawing/palette.ts';
import type { AsideAxes, Layer } from './epoch-panel.ts';

/** The distribution of τ over a layer's neurons, in time steps. */
export interface Violin {
  readonly title: string;
  readonly color: string;
  /** Ascending. */
  readonly taus: readonly number[];
  /** Without the extremes: these are few neurons, but would look like many. */
  readonly inner: readonly number[];
}

/** Violins side by side behind the last epoch. */
export function drawViolins(violins: readonly Violin[], { x, y, placeOf }: AsideAxes): Layer[] {
  return violins.flatMap((violin, index) => drawViolin(violin, { x, y, place: placeOf(index) }));
}

/** The density of the neurons on both sides of its place, with the box of the quartiles in it. */
function drawViolin(
  { title, color, taus, inner }: Violin,
  { x, y, place }: Pick<AsideAxes, 'x' | 'y'> & { readonly place: ReturnType<AsideAxes['placeOf']> },
): Layer[] {
  const { at, halfWidth } = place;
  const quantile = (share: number): number => taus[Math.round(share * (taus.length - 1))] ?? Number.NaN;
  const [lowest, low, median, high, highest] = [0, 0.25, 0.5, 0.75, 1].map(quantile);
  const shown = (tau: number | undefined): string => (tau ?? Number.NaN).toFixed(3);
  const tip = `${title}\nmedian ${shown(median)}, quartiles ${shown(low)} and ${shown(high)}, from ${shown(lowest)} to ${shown(highest)}`;
  const box = { values: [{ epoch: at, value: median, lowest, low, high, highest, tip }] };
  const aside = (sign: 1 | -1) => `${at} + ${sign * halfWidth} * datum.density / datum.peak`;
  return [
    {
      data: box,
      mark: { type: 'rule', color, strokeWidth: 1, opacity: 1 },
      encoding: { x, y: { ...y, field: 'lowest' }, y2: { field: 'highest' } },
    },
    {
      data: { values: inner.map((value) => ({ value })) },
      transform: [
        { density: 'value', as: ['value', 'density'], steps: 80 },
        { joinaggregate: [{ op: 'max', field: 'density', as: 'peak' }] },
        { calculate: aside(-1), as: 'left' },
        { calculate: aside(1), as: 'right' },
      ],
      mark: {
        type: 'area',
        orient: 'horizontal',
        color,
        opacity: 1,
        fillOpacity: 0.3,
        stroke: color,
        strokeWidth: 1,
      },
      encoding: { x: { ...x, field: 'left' }, x2: { field: 'right' }, y },
    },
    {
      data: box,
      mark: { type: 'rule', color, strokeWidth: 4, opacity: 1 },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    },
    {
      data: box,
      mark: {
        type: 'point',
        filled: true,
        fill: colorVariable('surface'),
        stroke: color,
        strokeWidth: 1.6,
        size: 34,
        opacity: 1,
      },
      encoding: { x, y, tooltip: { field: 'tip', type: 'nominal' } },
    },
  ];
}
