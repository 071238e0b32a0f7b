import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatCsv } from '../formats/csv.ts';
import { type RenderedFigure, renderFigure } from './drawing/render.ts';
import { blocksOf, type Report } from './page/document.ts';
import { renderMarkdown } from './page/markdown.ts';
import { renderPage } from './page/page.ts';

interface WrittenReport {
  readonly figures: number;
  readonly pageBytes: number;
}

/**
 * Renders the figures and writes the report: `index.html`, `report.md`, for each figure `figures/<id>.svg` and
 * `figures/<id>.csv`, their list `figures/index.json`, and the pictures of each gallery, such as `clips/00.png`.
 *
 * @param folder created if needed, with its parents
 * @param onFigure called after each figure with the number of figures rendered so far and in total
 */
export async function writeReport(
  report: Report,
  folder: string,
  onFigure: (done: number, total: number) => void = () => {},
): Promise<WrittenReport> {
  const figures = blocksOf(report, 'figure');
  const rendered: RenderedFigure[] = [];
  for (const { figure } of figures) {
    rendered.push(await renderFigure(figure, report.banners[0]?.title ?? null));
    onFigure(rendered.length, figures.length);
  }
  const page = renderPage(report, rendered);
  const galleries = blocksOf(report, 'gallery').map(({ gallery }) => gallery);
  for (const name of ['figures', ...galleries.map(({ id }) => id)]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await Promise.all([
    writeFile(join(folder, 'index.html'), page),
    writeFile(join(folder, 'report.md'), renderMarkdown(report)),
    writeFile(join(folder, 'figures', 'index.json'), formatIndex(rendered)),
    ...rendered.flatMap(({ figure, sheet }) => [
      writeFile(join(folder, 'figures', `${figure.id}.svg`), sheet),
      writeFile(join(folder, 'figures', `${figure.id}.csv`), formatCsv(figure.data)),
    ]),
    ...galleries.flatMap(({ id, pictures }) =>
      pictures.map((picture) => writeFile(join(folder, id, `${picture.id}.png`), picture.png)),
    ),
  ]);
  return { figures: figures.length, pageBytes: Buffer.byteLength(page) };
}

/** `figures/index.json`: what the folder's files show, in the order of the page, for programs that export them. */
function formatIndex(rendered: readonly RenderedFigure[]): string {
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
