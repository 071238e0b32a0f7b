import { Error as ERROR_LEVEL, parse, View } from 'vega';
import { compile } from 'vega-lite';
import { escapeMarkup } from '../../base/text.ts';
import { DASHES, type Figure, type LegendEntry, type Panel } from './figure.ts';
import { colorVariable, FONT, fixColors, THEME } from './theme.ts';

/** A figure's panels as SVG for the page, and all of them on one sheet for a standalone file. */
export interface RenderedFigure {
  readonly figure: Figure;
  readonly panels: readonly string[];
  readonly sheet: string;
}

/**
 * Renders a figure without a browser. The same figure gives the same bytes.
 *
 * @param notice a warning to show in the standalone file, or null
 */
export async function renderFigure(figure: Figure, notice: string | null): Promise<RenderedFigure> {
  const panels: string[] = [];
  for (const [index, panel] of figure.panels.entries()) {
    panels.push(await renderPanel(panel, `${figure.id}-${index}-`));
  }
  return { figure, panels, sheet: fixColors(composeSheet(figure, panels, notice)) };
}

/** @param prefix of the names inside the drawing, which are unique on the page */
async function renderPanel({ spec }: Panel, prefix: string): Promise<string> {
  if (typeof spec === 'string') return spec;
  const view = new View(parse(compile(spec, { config: THEME }).spec), {
    renderer: 'none',
    logLevel: ERROR_LEVEL,
  });
  try {
    return widenClips(nameParts(tidySvg(await view.toSVG()), prefix));
  } finally {
    view.finalize();
  }
}

/** Vega counts the names of parts from 0 in each drawing, but a page has many. */
function nameParts(svg: string, prefix: string): string {
  return svg.replace(/( id="|url\(#)/g, `$1${prefix}`);
}

/** How far a line reaches beyond its points, in px. */
const STROKE = 3;

/** Leaves lines that run along the top or the sides of a plot their whole width: only what is below the axis is to be cut off. */
function widenClips(svg: string): string {
  return svg.replace(
    /(<clipPath [^>]*><rect) x="0" y="0" width="([\d.]+)" height="([\d.]+)"/g,
    (_, start: string, width: string, height: string) =>
      `${start} x="${-STROKE}" y="${-STROKE}" width="${Number(width) + 2 * STROKE}" height="${Number(height) + STROKE}"`,
  );
}

/** Removes what a drawing inside a page does not need: Vega's class names, roles, defaults, empty shapes, fonts, second decimals of px. */
function tidySvg(svg: string): string {
  return svg
    .replace(/ xmlns:xlink="[^"]*"/, '')
    .replace(/ (class|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"/g, '')
    .replace(/ opacity="1"| font-weight="normal"| transform="translate\(0,0\)"/g, '')
    .replace(/<path d="M0,0h0v0h0Z"\/>/g, '')
    .replace(/<path d=""[^>]*display="none"\/>/g, '')
    .replace(/ d="[^"]+"/g, (path) =>
      path.replace(/\d+\.\d{2,}/g, (number) => String(Math.round(Number(number) * 10) / 10)),
    );
}

const MARGIN = 20;
const GAP = 24;
/** What the title takes at the top. It is in the file, because a sheet without the title can begin this much lower. */
const TITLE_HEIGHT = 30;
const LEGEND_HEIGHT = 26;
const NOTICE_HEIGHT = 22;
/** Generous estimate of the mean character width at 12 px, so that entries do not touch. */
const CHARACTER_WIDTH = 6.6;

/**
 * Arranges a figure's panels on one sheet, with title and legend, as a standalone SVG file. Its title is marked (`data-part`), so that an
 * export can leave it out.
 *
 * @param panels one SVG per panel, in the figure's order
 * @param notice a warning below the title, so that the file on its own is not misleading
 */
export function composeSheet(figure: Figure, panels: readonly string[], notice: string | null): string {
  const columns = Math.min(figure.columns, figure.panels.length);
  const cellWidth = Math.max(...figure.panels.map((panel) => panel.width));
  // For each row, because rows may have different numbers of bars.
  const rowHeights = Array.from({ length: Math.ceil(figure.panels.length / columns) }, (_, row) =>
    Math.max(...figure.panels.slice(row * columns, (row + 1) * columns).map((panel) => panel.height)),
  );
  const textWidth = Math.max(
    figure.title.length * CHARACTER_WIDTH * 1.25,
    (notice ?? '').length * CHARACTER_WIDTH,
  );
  const width = Math.max(
    2 * MARGIN + columns * cellWidth + (columns - 1) * GAP,
    Math.ceil(2 * MARGIN + textWidth),
  );
  const legend = composeLegend(figure.legend, width - 2 * MARGIN);
  const head = MARGIN + TITLE_HEIGHT + (notice === null ? 0 : NOTICE_HEIGHT);
  const top = head + legend.height;
  const height = top + sum(rowHeights) + (rowHeights.length - 1) * GAP + MARGIN;

  const placed = panels.map((panel, index) => {
    const x = MARGIN + (index % columns) * (cellWidth + GAP);
    const row = Math.floor(index / columns);
    const y = top + sum(rowHeights.slice(0, row)) + row * GAP;
    return panel.replace('<svg ', `<svg x="${x}" y="${y}" `);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escapeMarkup(figure.title)}</title>`,
    `<desc>${escapeMarkup(figure.alt)}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<g font-family="${escapeMarkup(FONT)}" fill="currentColor">`,
    `<text data-part="title" data-height="${TITLE_HEIGHT}" x="${MARGIN}" y="${MARGIN + 14}" font-size="15" font-weight="600">${escapeMarkup(figure.title)}</text>`,
    ...(notice === null
      ? []
      : [
          `<text x="${MARGIN}" y="${MARGIN + 35}" font-size="12" fill="${colorVariable('vermilion')}">${escapeMarkup(notice)}</text>`,
        ]),
    `<g transform="translate(${MARGIN},${head})" font-size="12">${legend.svg}</g>`,
    ...placed,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Entries side by side, wrapped at `width`. */
function composeLegend(entries: readonly LegendEntry[], width: number): { svg: string; height: number } {
  let x = 0;
  let line = 0;
  const parts: string[] = [];
  for (const entry of entries) {
    const entryWidth = Math.ceil(32 + entry.label.length * CHARACTER_WIDTH + 18);
    if (x > 0 && x + entryWidth > width) {
      x = 0;
      line += 1;
    }
    const key = drawKey(entry);
    parts.push(
      `<g transform="translate(${x},${line * LEGEND_HEIGHT})">${key}<text x="32" y="9">${escapeMarkup(entry.label)}</text></g>`,
    );
    x += entryWidth;
  }
  return { svg: parts.join(''), height: entries.length === 0 ? 0 : (line + 1) * LEGEND_HEIGHT };
}

/** The symbol of a legend entry, 24 x 10 px. */
export function drawKey(entry: LegendEntry): string {
  const color = colorVariable(entry.color);
  switch (entry.mark) {
    case 'line':
      return `<path d="M0,5H24" stroke="${color}" stroke-width="2.2"/>`;
    case 'dot':
      return `<circle cx="12" cy="5" r="4.5" fill="${color}"/>`;
    case 'ring':
      return `<circle cx="12" cy="5" r="4" fill="none" stroke="${color}" stroke-width="1.8"/>`;
    case 'diamond':
      return `<path d="M12,-0.5L17.5,5L12,10.5L6.5,5Z" fill="${color}"/>`;
    case 'band':
      return `<rect x="0" y="-1" width="24" height="12" fill="${color}" fill-opacity="0.25"/>`;
    default:
      return `<path d="M0,5H24" stroke="${color}" stroke-width="${entry.mark === 'thin' ? 1.2 : 1.8}" stroke-dasharray="${DASHES[entry.mark].join(' ')}"/>`;
  }
}
