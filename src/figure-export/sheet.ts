import { ReproError } from '../errors.ts';
import { arrange, readParts, widthWith } from './arrange.ts';

/** A figure of the report, `figures/<id>.svg`, taken apart. */
export interface Sheet {
  readonly svg: string;
  /** Of the drawing, in its own px. */
  readonly width: number;
  readonly height: number;
  readonly widthMm: number;
  /** Height of the smallest text. */
  readonly labelPoints: number;
}

export interface SheetOptions {
  /** With the title at the top, as in the report; papers have captions instead. */
  readonly title: boolean;
  /** Of the whole figure, in mm; its own width at 96 px an inch by default. */
  readonly widthMm?: number;
  /** A CSS list of families. */
  readonly fonts: string;
  /** An element to put into the file, such as a style sheet with fonts. */
  readonly head?: string;
}

const MM_PER_INCH = 25.4;
const PX_PER_INCH = 96;

const POINTS_PER_INCH = 72;

/** What journals ask of the smallest text in figures, at least. */
export const LEGIBLE_POINTS = 6;

const ROOT =
  /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="([\d.]+)" height="([\d.]+)" viewBox="0 0 \1 \2" role="img">/;
const END = /<\/g>\n<\/svg>\n*$/;
const TITLE = /<text data-part="title" data-height="(\d+)"[^>]*>[^<]*<\/text>\n?/;
const FONTS = /(<g )font-family="[^"]*"/;

/** What of the space above the title, or the legend without it, is left out. */
const TOP = 16;

/**
 * Prepares a figure's file for a paper: without its title, with a width in mm and its fonts named. Where labels would be too small to be
 * read, there are fewer panels side by side. A warning that the data are simulated stays.
 *
 * @param file for errors
 * @throws {ReproError} `figure-file` if it is not a whole sheet that this version of the report writes
 */
export function prepareSheet(file: string, text: string, options: SheetOptions): Sheet {
  const root = ROOT.exec(text);
  const title = TITLE.exec(text);
  if (root === null || title === null || !FONTS.test(text)) {
    throw damaged(file, 'this is not a figure as the report writes them');
  }
  if (!END.test(text) || count(text, /<svg /g) !== count(text, /<\/svg>/g)) {
    throw damaged(file, 'this figure is incomplete: its file was cut off or altered');
  }
  const skipped = options.title ? 0 : Number(title[1]);
  const size = { width: Number(root[1]), height: Number(root[2]) };
  const drawn = place(text, options, skipped) ?? {
    text,
    box: { left: 0, top: skipped, width: size.width, height: size.height - skipped },
  };
  const { left, top, width, height } = drawn.box;
  const widthMm = options.widthMm ?? (width / PX_PER_INCH) * MM_PER_INCH;
  const mm = (px: number): string => `${Number(((px / width) * widthMm).toFixed(3))}mm`;
  const start = `<svg xmlns="http://www.w3.org/2000/svg" width="${mm(width)}" height="${mm(height)}" viewBox="${left} ${top} ${width} ${height}" role="img">`;
  const svg = drawn.text
    .replace(ROOT, () => `${start}${options.head ?? ''}`)
    .replace(TITLE, (whole) => (options.title ? whole : ''))
    .replace(FONTS, (_, before: string) => `${before}font-family="${options.fonts}"`);
  return { svg, width, height, widthMm, labelPoints: toPoints(smallestText(text), width, widthMm) };
}

interface Placed {
  readonly text: string;
  /** What of it is shown, in px. */
  readonly box: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
}

/** As many panels side by side as are legible, up to those of the report; null if the sheet's parts are not marked. */
function place(text: string, { title, widthMm }: SheetOptions, skipped: number): Placed | null {
  const parts = readParts(text, { title });
  if (parts === null) return null;
  let { columns } = parts;
  const isLegible = (): boolean =>
    widthMm === undefined ||
    toPoints(smallestText(text), widthWith(parts, columns), widthMm) >= LEGIBLE_POINTS;
  while (columns > 1 && !isLegible()) columns -= 1;
  const { text: arranged, left, width, bottom } = arrange(parts, columns);
  const top = skipped + TOP;
  return { text: arranged, box: { left, top, width, height: bottom - top } };
}

/** The smallest font size of a sheet, in px. */
function smallestText(text: string): number {
  return Math.min(...[...text.matchAll(/font-size="([\d.]+)(?:px)?"/g)].map(([, size]) => Number(size)));
}

function toPoints(px: number, width: number, widthMm: number): number {
  return (px / width) * (widthMm / MM_PER_INCH) * POINTS_PER_INCH;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function damaged(file: string, problem: string): ReproError {
  return new ReproError('figure-file', problem, {
    where: file,
    fix: 'Make the report again with this version: ./repro run report --force',
  });
}
