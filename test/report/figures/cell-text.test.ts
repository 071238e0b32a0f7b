import { describe, expect, it } from 'vitest';
import {
  cellLuminance,
  cellTextColor,
  contrastOf,
  paletteLuminance,
  TEXT_SWITCH,
} from '../../../src/report/figures/cell-text.ts';

const SHARES = Array.from({ length: 1001 }, (_, i) => i / 1000);

describe('texts in coloured cells', () => {
  it.each(['light', 'dark'] as const)(
    'have the contrast that small text needs, at every share, %s',
    (scheme) => {
      const contrasts = SHARES.map((share) =>
        contrastOf(paletteLuminance(cellTextColor(share), scheme), cellLuminance(share, scheme)),
      );
      expect(Math.min(...contrasts)).toBeGreaterThan(4.5);
      expect(Math.max(...contrasts)).toBeGreaterThan(10);
    },
  );

  it('change colour at a share of its own in each scheme', () => {
    expect(TEXT_SWITCH.light).toBeCloseTo(0.739, 2);
    expect(TEXT_SWITCH.dark).toBeCloseTo(0.534, 2);
    expect([0, 0.52, 0.54, 0.73, 0.75, 1].map(cellTextColor)).toEqual([
      'on-pale',
      'on-pale',
      'on-middle',
      'on-middle',
      'on-heat',
      'on-heat',
    ]);
  });
});
