import { describe, expect, it } from 'vitest';
import type { PanelSpec } from '../../../src/report/drawing/figure.ts';
import { partAt, simplify, TOLERANCE_PX, thinOut } from '../../../src/report/drawing/thin-out.ts';

interface Values {
  readonly values: readonly { readonly at: number; readonly value: number; readonly high?: number }[];
}

/** A line of the values over 0, 1, 2, …; 100 px high for values from 1 to 100. */
function specOf(values: readonly number[], { type = 'line', scale = {}, high = false } = {}): PanelSpec {
  const rows = values.map((value, at) => ({
    at,
    value,
    ...(high ? { high: value + (at === 70 ? 9 : 3) } : {}),
  }));
  const layer = {
    data: { values: rows },
    mark: { type },
    encoding: {
      x: { field: 'at', type: 'quantitative', scale: { domain: [0, values.length - 1] } },
      y: { field: 'value', type: 'quantitative', scale: { domain: [1, 100], ...scale } },
      ...(high ? { y2: { field: 'high' } } : {}),
    },
  };
  return { width: 300, height: 99, layer: [layer as PanelSpec['layer'][number]] };
}

const keptOf = (spec: PanelSpec): number[] =>
  (partAt(thinOut(spec).spec.layer[0], 'data') as Values).values.map(({ at }) => at);

const straight = Array.from({ length: 300 }, (_, at) => 1 + at / 4);

describe('a long line', () => {
  it('keeps its ends only if it is straight', () => {
    expect(keptOf(specOf(straight))).toEqual([0, 299]);
  });

  it('keeps a peak of a single point', () => {
    expect(keptOf(specOf(straight.map((value, at) => (at === 150 ? 80 : value))))).toEqual([
      0, 149, 150, 151, 299,
    ]);
  });

  it('is straight or not as its axis shows it', () => {
    const growing = Array.from({ length: 300 }, (_, at) => 100 ** (at / 299));
    expect(keptOf(specOf(growing, { scale: { type: 'log' } }))).toEqual([0, 299]);
    expect(keptOf(specOf(growing)).length).toBeGreaterThan(5);
  });

  it('keeps what either edge of a band needs', () => {
    expect(keptOf(specOf(straight, { type: 'area', high: true }))).toEqual([0, 69, 70, 71, 299]);
  });

  it('is nowhere farther from a point than the tolerance', () => {
    const points = Array.from({ length: 500 }, (_, at): [number, number] => [
      at / 5,
      40 * Math.sin(at / 40) + 0.3 * Math.sin(at * 7),
    ]);
    const kept = simplify([points], TOLERANCE_PX);
    expect(kept.length).toBeLessThan(points.length);
    points.forEach(([x, y], at) => {
      const after = kept.findIndex((index) => index >= at);
      const [[x0, y0], [x1, y1]] = [points[kept[Math.max(0, after - 1)]!]!, points[kept[after]!]!];
      const onLine = x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
      const steepness = Math.hypot(1, (y1 - y0) / (x1 - x0 || 1));
      expect(Math.abs(y - onLine) / steepness).toBeLessThanOrEqual(TOLERANCE_PX + 1e-9);
    });
  });
});

it.each([
  ['a short line', specOf(straight.slice(0, 150))],
  ['dots', specOf(straight, { type: 'circle' })],
  ['another kind of scale', specOf(straight, { scale: { type: 'sqrt' } })],
  ['an axis without a domain', specOf(straight, { scale: { domain: undefined } })],
  ['a value that is missing', specOf(straight.map((value, at) => (at === 7 ? Number.NaN : value)))],
])('%s is left alone', (_, spec) => {
  expect(thinOut(spec)).toEqual({ spec, thinned: false });
});
