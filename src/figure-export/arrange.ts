/** Between panels, as in the report, and around all of them: papers have margins of their own. */
const GAP = 24;
const EDGE = 4;
/** Estimate of the mean character width of a warning, relative to its size, as in the report. */
const CHARACTER_WIDTH = 0.55;

const PANEL = /<svg data-part="panel" x="([\d.]+)" y="([\d.]+)"([^>]*? width="([\d.]+)" height="([\d.]+)")/g;
const ENTRY = /(<g data-part="entry" data-width="([\d.]+)" transform=")translate\([\d.,]+\)"/g;
const LEGEND = /<g data-part="legend" data-line="([\d.]+)" transform="translate\(([\d.]+),([\d.]+)\)"/;
const NOTICE = /<text data-part="notice"[^>]* font-size="([\d.]+)"[^>]*>([^<]*)</;
const TITLE = /<text data-part="title"[^>]* font-size="([\d.]+)"[^>]*>([^<]*)</;
const BACKGROUND = /<rect width="[\d.]+" height="[\d.]+" fill="#ffffff"\/>/;

/** The parts of a sheet, and where they are, in px. */
export interface SheetParts {
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
export interface Arranged {
  readonly text: string;
  readonly left: number;
  readonly width: number;
  readonly bottom: number;
}

/** @returns null for a sheet of an earlier version, whose parts are not marked */
export function readParts(text: string, { title }: { readonly title: boolean }): SheetParts | null {
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
    textWidth: Math.max(widthOf(NOTICE.exec(text)), title ? widthOf(TITLE.exec(text)) : 0),
  };
}

/** The width of a sheet with so many panels side by side, in px. */
export function widthWith({ panels, entries, textWidth }: SheetParts, columns: number): number {
  const cell = Math.max(...panels.map(({ width }) => width));
  const inside = Math.max(columns * cell + (columns - 1) * GAP, textWidth, ...entries);
  return Math.ceil(inside) + 2 * EDGE;
}

/** Puts so many panels side by side, below a legend that is wrapped to their width. */
export function arrange(parts: SheetParts, columns: number): Arranged {
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
