import { ReproError } from '../errors.ts';

/** A figure of the report, `figures/<id>.svg`, prepared for a paper. */
export interface Sheet {
  readonly svg: string;
  /** Of the drawing, in its own px. */
  readonly width: number;
  readonly height: number;
  readonly widthMm: number;
  /** Height of the smallest text. */
  readonly labelPoints: number;
}

interface SheetOptions {
  /** With the title at the top, as in the report; papers have captions instead. */
  readonly title: boolean;
  /** Of the whole figure, in mm; its own width at 96 px an inch by default. */
  readonly widthMm?: number | undefined;
  /** A CSS list of families. */
  readonly fonts: string;
  /** An element to put into the file, such as a style sheet with fonts. */
  readonly head?: string;
}

export const mmPerInch = 25.4;
export const pointsPerInch = 72;
const pxPerInch = 96;

/** What journals ask of the smallest text in figures, at least. */
export const legiblePoints = 6;

/** The parts of a sheet, as `src/report/drawing/sheet.ts` marks them. */
const patterns = {
  root: /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="[\d.]+" height="[\d.]+" viewBox="[\d. ]+" role="img">/,
  end: /<\/g>\n<\/svg>\n*$/,
  background: /<rect width="[\d.]+" height="[\d.]+" fill="#ffffff"\/>/,
  fonts: /(<g )font-family="[^"]*"/,
  title: /<text data-part="title" data-height="(\d+)"[^>]*? font-size="([\d.]+)"[^>]*>([^<]*)<\/text>\n?/,
  notice: /<text data-part="notice"[^>]* font-size="([\d.]+)"[^>]*>([^<]*)</,
  legend: /<g data-part="legend" data-line="([\d.]+)" transform="translate\(([\d.]+),([\d.]+)\)"/,
  entry: /(<g data-part="entry" data-width="([\d.]+)" transform=")translate\([\d.,]+\)"/g,
  panel: /<svg data-part="panel" x="[\d.]+" y="([\d.]+)"([^>]*? width="([\d.]+)" height="([\d.]+)")/g,
};

/** Between panels, as in the report, and around all of them: papers have margins of their own. */
const gap = 24;
const edge = 4;
/** Estimate of the mean character width of a warning, relative to its size, as in the report. */
const characterWidth = 0.55;
/** How much of the space above the title, or above the legend, is cut off. */
const cutAtTop = 16;

/**
 * Prepares a figure's file for a paper: without its title, with a width in mm and named fonts. If labels would be too small to read, fewer
 * panels are side by side. A warning that the data are simulated stays.
 *
 * @param file for errors
 * @throws {ReproError} `figure-file` if it is not a whole sheet that this version of the report writes
 */
export function prepareSheet(file: string, text: string, options: SheetOptions): Sheet {
  const parts = readParts(file, text, options.title);
  const smallestPx = Math.min(
    ...[...text.matchAll(/font-size="([\d.]+)(?:px)?"/g)].map(([, size]) => Number(size)),
  );
  const pointsAt = (width: number, widthMm: number): number =>
    (smallestPx / width) * (widthMm / mmPerInch) * pointsPerInch;
  let { columns } = parts;
  if (options.widthMm !== undefined) {
    while (columns > 1 && pointsAt(widthWith(parts, columns), options.widthMm) < legiblePoints) columns -= 1;
  }
  const { text: arranged, left, width, bottom } = arrange(text, parts, columns);
  const top = (options.title ? 0 : parts.titleHeight) + cutAtTop;
  const height = bottom - top;
  const widthMm = options.widthMm ?? (width / pxPerInch) * mmPerInch;
  const mm = (px: number): string => `${Number(((px / width) * widthMm).toFixed(3))}mm`;
  const start = `<svg xmlns="http://www.w3.org/2000/svg" width="${mm(width)}" height="${mm(height)}" viewBox="${left} ${top} ${width} ${height}" role="img">`;
  const svg = arranged
    .replace(patterns.root, () => `${start}${options.head ?? ''}`)
    .replace(patterns.title, (whole) => (options.title ? whole : ''))
    .replace(patterns.fonts, (_, before: string) => `${before}font-family="${options.fonts}"`);
  return { svg, width, height, widthMm, labelPoints: pointsAt(width, widthMm) };
}

/** The parts of a sheet, and where they are, in px. */
interface SheetParts {
  readonly titleHeight: number;
  readonly panels: readonly { readonly width: number; readonly height: number }[];
  /** Panels side by side, as drawn. */
  readonly columns: number;
  readonly legend: { readonly left: number; readonly top: number; readonly line: number };
  /** Widths of the legend's entries. */
  readonly entries: readonly number[];
  /** Of the warning, and of the title if it is kept. */
  readonly textWidth: number;
}

function readParts(file: string, text: string, keepsTitle: boolean): SheetParts {
  const fail = (problem: string): ReproError =>
    new ReproError('figure-file', problem, {
      where: file,
      fix: 'Make the report again with this version: ./repro run report --force',
    });
  const [title, legend, notice] = [patterns.title, patterns.legend, patterns.notice].map((one) =>
    one.exec(text),
  );
  const panels = [...text.matchAll(patterns.panel)].map(([, y, , width, height]) => ({
    y,
    width: Number(width),
    height: Number(height),
  }));
  const isSheet = patterns.root.test(text) && patterns.fonts.test(text) && panels.length > 0;
  if (!isSheet || title == null || legend == null) throw fail('this is not a figure written by the report');
  if (!patterns.end.test(text) || text.split('<svg ').length !== text.split('</svg>').length) {
    throw fail('this figure is incomplete: its file was cut off or altered');
  }
  const widthOf = (size = '0', words = ''): number => Number(size) * characterWidth * words.length;
  return {
    titleHeight: Number(title[1]),
    panels,
    columns: panels.filter(({ y }) => y === panels[0]?.y).length,
    legend: { line: Number(legend[1]), left: Number(legend[2]), top: Number(legend[3]) },
    entries: [...text.matchAll(patterns.entry)].map(([, , width]) => Number(width)),
    textWidth: Math.max(widthOf(notice?.[1], notice?.[2]), keepsTitle ? widthOf(title[2], title[3]) : 0),
  };
}

/** The width of a sheet with this many panels side by side, in px. */
function widthWith({ panels, entries, textWidth }: SheetParts, columns: number): number {
  const cell = Math.max(...panels.map(({ width }) => width));
  const inside = Math.max(columns * cell + (columns - 1) * gap, textWidth, ...entries);
  return Math.ceil(inside) + 2 * edge;
}

/** Puts this many panels side by side, below a legend that is wrapped to their width. */
function arrange(
  text: string,
  parts: SheetParts,
  columns: number,
): { readonly text: string; readonly left: number; readonly width: number; readonly bottom: number } {
  const { panels, legend, entries } = parts;
  const width = widthWith(parts, columns);
  const places = wrap(entries, width - 2 * edge, legend.line);
  const lines = entries.length === 0 ? 0 : (places.at(-1)?.y ?? 0) / legend.line + 1;
  const cell = Math.max(...panels.map((panel) => panel.width));
  /** Where each row begins, and at last where another one would. */
  const tops = [legend.top + lines * legend.line];
  for (let row = 0; row * columns < panels.length; row += 1) {
    const heights = panels.slice(row * columns, (row + 1) * columns).map(({ height }) => height);
    tops.push((tops[row] ?? 0) + Math.max(...heights) + gap);
  }
  const left = legend.left - edge;
  const bottom = (tops.at(-1) ?? 0) - gap + edge;
  let [panel, entry] = [0, 0];
  const arranged = text
    .replace(patterns.panel, (_, _y, rest: string) => {
      const x = legend.left + (panel % columns) * (cell + gap);
      const y = tops[Math.floor(panel / columns)];
      panel += 1;
      return `<svg data-part="panel" x="${x}" y="${y}"${rest}`;
    })
    .replace(patterns.entry, (_, start: string) => {
      const { x, y } = places[entry] ?? { x: 0, y: 0 };
      entry += 1;
      return `${start}translate(${x},${y})"`;
    })
    .replace(patterns.background, `<rect width="${left + width}" height="${bottom}" fill="#ffffff"/>`);
  return { text: arranged, left, width, bottom };
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
