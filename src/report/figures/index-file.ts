import type { RenderedFigure } from './render.ts';

/** `figures/index.json`: what the folder's files show, in the order of the page, for programs that export them. */
export function formatIndex(rendered: readonly RenderedFigure[]): string {
  const figures = rendered.map(({ figure: { id, title, caption, alt } }) => ({
    id,
    title,
    caption,
    alt,
    svg: `${id}.svg`,
    csv: `${id}.csv`,
  }));
  return `${JSON.stringify({ version: 1, figures }, null, 2)}\n`;
}
