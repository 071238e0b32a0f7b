import { Error as ERROR_LEVEL, parse, View } from 'vega';
import { compile } from 'vega-lite';
import type { Figure, Panel } from './figure.ts';
import { fixColors } from './palette.ts';
import { composeSheet } from './sheet.ts';
import { THEME } from './theme.ts';

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
