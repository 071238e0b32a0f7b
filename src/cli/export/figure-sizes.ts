import type { FigureSize } from '../../figure-export/formats.ts';
import { LEGIBLE_POINTS } from '../../figure-export/sheet.ts';
import { toOneLine } from '../view/safe-text.ts';

/** The height of the text on a page of A4, with margins of 25 mm. */
const PAGE_MM = 247;

/** What to know before a figure goes into a paper: texts too small to be read, and figures too tall for a page. */
export function warnOfSizes(sizes: ReadonlyMap<string, FigureSize>): string[] {
  return [...sizes].flatMap(([id, { widthMm, heightMm, labelPoints }]) => {
    const name = `warning: ${toOneLine(id)}`;
    const at = `at ${Math.round(widthMm)} mm`;
    if (labelPoints < LEGIBLE_POINTS) {
      const least = Math.ceil((widthMm * LEGIBLE_POINTS) / labelPoints);
      return [
        `${name}: ${at}, its smallest text is ${labelPoints.toFixed(1)} pt; from --width ${least} on, it has ${LEGIBLE_POINTS} pt`,
      ];
    }
    if (heightMm <= PAGE_MM) return [];
    return [
      `${name}: ${at}, it is ${Math.round(heightMm)} mm tall, more than a page; a larger --width may put more side by side`,
    ];
  });
}
