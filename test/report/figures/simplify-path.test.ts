import { describe, expect, it } from 'vitest';
import { PATH_TOLERANCE_PX, simplify, simplifyPaths } from '../../../src/report/figures/simplify-path.ts';

/** A path through points at x = 0, 1, 2, … */
const pathOf = (heights: readonly number[]): string => `M${heights.map((y, x) => `${x},${y}`).join('L')}`;
const inSvg = (path: string): string => `<svg><path d="${path}" stroke="#000"/></svg>`;
const straight = Array.from({ length: 300 }, (_, x) => x / 4);

describe('simplified paths', () => {
  it('keep the ends of a straight line only', () => {
    expect(simplifyPaths(inSvg(pathOf(straight)))).toEqual({
      svg: inSvg('M0,0L299,74.75'),
      simplified: true,
    });
  });

  it('keep a peak of a single point', () => {
    const peak = straight.map((y, x) => (x === 150 ? 80 : y));
    const { svg } = simplifyPaths(inSvg(pathOf(peak)));
    expect(svg).toContain('150,80');
    expect(svg.match(/[ML]/g)).toHaveLength(5);
  });

  it('are nowhere farther from a point than the tolerance', () => {
    const noisy = Array.from({ length: 500 }, (_, x) => 40 * Math.sin(x / 40) + 0.3 * Math.sin(x * 7));
    const points = noisy.map((y, x): [number, number] => [x / 5, y]);
    const kept = simplify(points, PATH_TOLERANCE_PX);
    expect(kept.length).toBeLessThan(points.length);
    for (const [x, y] of points) {
      const after = kept.findIndex(([other]) => other >= x);
      const [[x0, y0], [x1, y1]] = [kept[Math.max(0, after - 1)]!, kept[after]!];
      const onLine = x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
      const steepness = Math.hypot(1, (y1 - y0) / (x1 - x0 || 1));
      expect(Math.abs(y - onLine) / steepness).toBeLessThanOrEqual(PATH_TOLERANCE_PX + 1e-9);
    }
  });

  it('keep gaps, and closed shapes closed', () => {
    const parts = `${pathOf(straight)}${pathOf(straight).replace('M0,0', 'M0,9')}Z`;
    expect(simplifyPaths(inSvg(parts)).svg).toMatch(/d="M0,0L299,74.75M0,9(L[\d.]+,[\d.]+)*L299,74.75Z"/);
  });

  it.each([
    ['few points', pathOf(straight.slice(0, 50))],
    ['curves', `${pathOf(straight)}C1,2,3,4,5,6`],
    ['arcs', 'M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0'],
  ])('leave paths with %s alone', (_, path) => {
    expect(simplifyPaths(inSvg(path))).toEqual({ svg: inSvg(path), simplified: false });
  });
});
