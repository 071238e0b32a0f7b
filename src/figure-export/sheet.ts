import { ReproError } from '../errors.ts';

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

const PANEL = /<svg data-part="panel" x="([\d.]+)" y="([\d.]+)"([^>]*? width="([\d.]+)" height="([\d.]+)")/g;
const ENTRY = /(<g data-part="entry" data-width="([\d.]+)" transform=")translate\([\d.,]+\)"/g;
const LEGEND = /<g data-part="legend" data-line="([\d.]+)" transform="translate\(([\d.]+),([\d.]+)\)"/;
const NOTICE = /<text data-part="notice"[^>]* font-size="([\d.]+)"[^>]*>([^<]*)</;
const TITLE_TEXT = /<text data-part="title"[^>]* font-size="([\d.]+)"[^>]*>([^<]*)</;
const BACKGROUND = /<rect width="[\d.]+" height="[\d.]+" fill="#ffffff"\/>/;

/** Between panels, as in the report, and around all of them: papers have margins of their own. */
const GAP = 24;
const EDGE = 4;
/** Estimate of the mean character width of a warning, relative to its size, as in the report. */
const CHARACTER_WIDTH = 0.55;

/** How much of the space above the title, or above the legend, is cut off. */
const TOP = 16;

/**
 * Prepares a figure's file for a paper: without its title, with a width in mm and named fonts. If labels would be too small to read, fewer
 * panels are side by side. A warning that the data are simulated stays.
 *
 * @param file for errors
 * @throws {ReproError} `figure-file` if it is not a whole sheet that this version of the report writes
 */
export function prepareSheet(file: string, text: string, options: SheetOptions): Sheet {
  const root = ROOT.exec(text);
  const title = TITLE.exec(text);
  if (root === null || title === null || !FONTS.test(text)) {
    throw damaged(file, 'this is not a figure written by the report');
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

/** As many panels side by side as stay legible, at most as in the report; null if the sheet's parts are not marked. */
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

/** The parts of a sheet, and where they are, in px. */
interface SheetParts {
  readonly text: string;
  readonly panels: readonly { readonly width: number; readonly height: number }[];
  /** Panels side by side, as drawn. */
  readonly columns: number;
  readonly legend: { readonly left: number; readonly top: number; readonly line: number };
  readonly entries: readonly number[];
  /** Of the warning, and of the title if it is kept. */
  readonly textWidth: number;
}

/** A sheet whose parts are in new places. */
interface Arranged {
  readonly text: string;
  readonly left: number;
  readonly width: number;
  readonly bottom: number;
}

/** @returns null for a sheet of an earlier version, whose parts are not marked */
function readParts(text: string, { title }: { readonly title: boolean }): SheetParts | null {
  const legend = LEGEND.exec(text);
  const panels = [...text.matchAll(PANEL)].map(([, , y, , width, height]) => ({
    y,
    width: Number(width),
    height: Number(height),
  }));
  if (legend === null || panels.length === 0) return null;
  const widthOf = (part: RegExpExecArray | null): number =>
    part === null ? 0 : Number(part[1]) * CHARACTER_WIDTH * (part[2]?.length ?? 0);
  return {
    text,
    panels,
    columns: panels.filter(({ y }) => y === panels[0]?.y).length,
    legend: { line: Number(legend[1]), left: Number(legend[2]), top: Number(legend[3]) },
    entries: [...text.matchAll(ENTRY)].map(([, , width]) => Number(width)),
    textWidth: Math.max(widthOf(NOTICE.exec(text)), title ? widthOf(TITLE_TEXT.exec(text)) : 0),
  };
}

/** The width of a sheet with this many panels side by side, in px. */
function widthWith({ panels, entries, textWidth }: SheetParts, columns: number): number {
  const cell = Math.max(...panels.map(({ width }) => width));
  const inside = Math.max(columns * cell + (columns - 1) * GAP, textWidth, ...entries);
  return Math.ceil(inside) + 2 * EDGE;
}

/** Puts this many panels side by side, below a legend that is wrapped to their width. */
function arrange(parts: SheetParts, columns: number): Arranged {
  const { panels, legend, entries } = parts;
  const width = widthWith(parts, columns);
  const places = wrap(entries, width - 2 * EDGE, legend.line);
  const lines = entries.length === 0 ? 0 : (places.at(-1)?.y ?? 0) / legend.line + 1;
  const top = legend.top + lines * legend.line;
  const cell = Math.max(...panels.map((panel) => panel.width));
  const rows = Array.from({ length: Math.ceil(panels.length / columns) }, (_, row) =>
    Math.max(...panels.slice(row * columns, (row + 1) * columns).map(({ height }) => height)),
  );
  const topOf = (row: number): number =>
    top + rows.slice(0, row).reduce((sum, height) => sum + height + GAP, 0);
  const bottom = topOf(rows.length) - GAP + EDGE;
  let [panel, entry] = [0, 0];
  const text = parts.text
    .replace(PANEL, (_, _x, _y, rest: string) => {
      const x = legend.left + (panel % columns) * (cell + GAP);
      const y = topOf(Math.floor(panel / columns));
      panel += 1;
      return `<svg data-part="panel" x="${x}" y="${y}"${rest}`;
    })
    .replace(ENTRY, (_, start: string) => {
      const { x, y } = places[entry] ?? { x: 0, y: 0 };
      entry += 1;
      return `${start}translate(${x},${y})"`;
    })
    .replace(BACKGROUND, `<rect width="${legend.left - EDGE + width}" height="${bottom}" fill="#ffffff"/>`);
  return { text, left: legend.left - EDGE, width, bottom };
}

/** Places entries side by side, and on a new line where the next does not fit. */
function wrap(widths: readonly number[], width: number, line: number): { x: number; y: number }[] {
  let [x, y] = [0, 0];
  return widths.map((own) => {
    if (x > 0 && x + own > width) [x, y] = [0, y + line];
    const place = { x, y };
    x += own;
    return place;
  });
}
