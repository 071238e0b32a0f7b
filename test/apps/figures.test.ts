import { expect, it } from 'vitest';
import { warnOfSizes } from '../../src/apps/figures.ts';

it('figures that cannot be read, or do not fit on a page, are named with what would help', () => {
  const sizes = new Map([
    ['fine', { widthMm: 88, heightMm: 60, labelPoints: 6.1 }],
    ['small', { widthMm: 50, heightMm: 60, labelPoints: 3.4 }],
    ['tall', { widthMm: 88, heightMm: 281.6, labelPoints: 8 }],
  ]);
  expect(warnOfSizes(sizes)).toEqual([
    // 50 mm · 6 / 3.4
    'warning: small: at 50 mm, its smallest text is 3.4 pt; from --width 89 on, it has 6 pt',
    'warning: tall: at 88 mm, it is 282 mm tall, more than a page; a larger --width may put more side by side',
  ]);
});
