import { wrapText } from '../../text.ts';

/** Of a title in bold 13 px, generously. */
const CHARACTER_WIDTH = 7.8;
const LINE_HEIGHT = 16;

/** The lines of a panel's title, and the height of all but the first. */
export function breakTitle(title: string, width: number): { lines: string[]; extraHeight: number } {
  const lines = wrapText(title, Math.floor(width / CHARACTER_WIDTH)).split('\n');
  return { lines, extraHeight: (lines.length - 1) * LINE_HEIGHT };
}
