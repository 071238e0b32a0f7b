import { Error as ERROR_LEVEL, parse, View } from 'vega';
import { compile } from 'vega-lite';
import { describeHover, type PanelHover } from '../hover/panel-hover.ts';
import type { Figure, Panel } from './figure.ts';
import { fixColors } from './palette.ts';
import { composeSheet } from './sheet.ts';
import { THEME } from './theme.ts';
import { thinOut } from './thin-out.ts';

/** A figure's panels as SVG for the page, and all of them on one sheet for a standalone file. */
export interface RenderedFigure {
  readonly figure: Figure;
  readonly panels: readonly string[];
  readonly sheet: string;
  /** What each panel tells about the place that a pointer is on. */
  readonly hover: readonly PanelHover[];
  /** Whether long lines have fewer points than values: {@link thinOut}. */
  readonly simplified: boolean;
}

/** For captions of figures that are {@link RenderedFigure.simplified}. */
export const SIMPLIFIED_NOTE =
  'Points that are within a tenth of a pixel of the line without them are not drawn; the CSV file has all values.';

/**
 * Renders a figure without a browser. The same figure gives the same bytes.
 *
 * @param notice a warning to show in the standalone file, or null
 */
export async function renderFigure(figure: Figure, notice: string | null): Promise<RenderedFigure> {
  const drawn: DrawnPanel[] = [];
  for (const panel of figure.panels) drawn.push(await renderPanel(figure, panel));
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

async function renderPanel(figure: Figure, panel: Panel): Promise<DrawnPanel> {
  const { spec: thin, thinned: simplified } = thinOut(panel.spec);
  const { spec } = compile(thin, { config: THEME });
  const view = new View(parse(spec), { renderer: 'none', logLevel: ERROR_LEVEL });
  try {
    const svg = tidySvg(await view.toSVG());
    return { svg, simplified, hover: describeHover(figure, panel, view.scenegraph()) };
  } finally {
    view.finalize();
  }
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
