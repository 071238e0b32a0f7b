import { Error as ERROR_LEVEL, parse, View } from 'vega';
import { compile } from 'vega-lite';
import type { Figure, Panel } from './figure.ts';
import { describeHover, type PanelHover } from './hover.ts';
import { fixColors } from './palette.ts';
import { composeSheet } from './sheet.ts';
import { THEME } from './theme.ts';
import { partAt, thinOut } from './thin-out.ts';

/** A figure's panels as SVG for the page, and all of them on one sheet for a standalone file. */
export interface RenderedFigure {
  readonly figure: Figure;
  readonly panels: readonly string[];
  readonly sheet: string;
  /** What each panel shows at the pointer. */
  readonly hover: readonly PanelHover[];
  /** Whether long lines have fewer points than values: {@link thinOut}. */
  readonly simplified: boolean;
}

/** For captions of figures that are {@link RenderedFigure.simplified}. */
export const SIMPLIFIED_NOTE =
  'Points within a tenth of a pixel of the drawn line are left out; the CSV file has all values.';

/**
 * Renders a figure without a browser. The same figure gives the same bytes.
 *
 * @param notice a warning to show in the standalone file, or null
 */
export async function renderFigure(figure: Figure, notice: string | null): Promise<RenderedFigure> {
  const drawn: DrawnPanel[] = [];
  for (const [index, panel] of figure.panels.entries()) {
    drawn.push(await renderPanel(panel, `${figure.id}-${index}-`));
  }
  const panels = drawn.map(({ svg }) => svg);
  return {
    figure,
    panels,
    sheet: fixColors(composeSheet(figure, panels, notice)),
    hover: drawn.map(({ hover }) => hover),
    simplified: drawn.some(({ simplified }) => simplified),
  };
}

interface DrawnPanel {
  readonly svg: string;
  readonly simplified: boolean;
  readonly hover: PanelHover;
}

/** @param prefix of the names inside the drawing, which are unique on the page */
async function renderPanel({ title, readings, spec: full }: Panel, prefix: string): Promise<DrawnPanel> {
  const { spec: thin, thinned: simplified } = thinOut(full);
  const { spec } = compile(thin, { config: THEME });
  const view = new View(parse(spec), { renderer: 'none', logLevel: ERROR_LEVEL });
  try {
    const svg = widenClips(nameParts(tidySvg(await view.toSVG()), prefix));
    const lengthAt = (...path: readonly string[]): number => Number(partAt(full, ...path) ?? 0);
    const [left, top] = [lengthAt('padding', 'left'), lengthAt('padding', 'top')];
    const place = { left, top, plotWidth: lengthAt('width') };
    const hover = describeHover({ title, readings, ...place, scene: view.scenegraph() });
    return { svg, simplified, hover };
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

/** Removes what a drawing inside a page does not need: Vega's class names, roles, defaults, empty shapes, fonts, third decimals of px. */
function tidySvg(svg: string): string {
  return svg
    .replace(/ xmlns:xlink="[^"]*"/, '')
    .replace(/ (class|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"/g, '')
    .replace(/ opacity="1"| font-weight="normal"| transform="translate\(0,0\)"/g, '')
    .replace(/<path d="M0,0h0v0h0Z"\/>/g, '')
    .replace(/<path d=""[^>]*display="none"\/>/g, '')
    .replace(/ d="[^"]+"/g, (path) =>
      path.replace(/\d+\.\d{3,}/g, (number) => String(Math.round(Number(number) * 100) / 100)),
    );
}
