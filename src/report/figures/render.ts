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
  for (const panel of figure.panels) panels.push(await renderPanel(panel));
  return { figure, panels, sheet: fixColors(composeSheet(figure, panels, notice)) };
}

async function renderPanel(panel: Panel): Promise<string> {
  const { spec } = compile(panel.spec, { config: THEME });
  const view = new View(parse(spec), { renderer: 'none', logLevel: ERROR_LEVEL });
  try {
    return tidySvg(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** Removes what a drawing inside a page does not need: Vega's class names, roles, defaults, empty shapes and fonts. */
function tidySvg(svg: string): string {
  return svg
    .replace(/ xmlns:xlink="[^"]*"/, '')
    .replace(/ (class|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"/g, '')
    .replace(/ opacity="1"| font-weight="normal"| transform="translate\(0,0\)"/g, '')
    .replace(/<path d="M0,0h0v0h0Z"\/>/g, '')
    .replace(/<path d=""[^>]*display="none"\/>/g, '');
}
