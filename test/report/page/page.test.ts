import { describe, expect, it } from 'vitest';
import type { Results } from '../../../src/report/data/results.ts';
import type { Figure } from '../../../src/report/drawing/figure.ts';
import { type RenderedFigure, renderFigure } from '../../../src/report/drawing/render.ts';
import { blocksOf } from '../../../src/report/page/document.ts';
import { renderMarkdown } from '../../../src/report/page/markdown.ts';
import { renderPage } from '../../../src/report/page/page.ts';
import { buildReport } from '../../../src/report/report.ts';
import { NMNIST, TWO_SCALES } from '../../support/datasets.ts';
import { makeModelResult, makeResults } from '../result-values.ts';

const HOSTILE = '<script>alert("1")</script> & | * [x](y)';

/** Most tests differ in their texts only, and drawing takes most of the time. */
const drawn = new Map<string, RenderedFigure>();

async function draw(figure: Figure): Promise<RenderedFigure> {
  const key = JSON.stringify(figure.panels);
  const known = drawn.get(key) ?? (await renderFigure(figure, null));
  drawn.set(key, known);
  return { ...known, figure };
}

async function render(results: Results): Promise<{ page: string; markdown: string }> {
  const report = buildReport(results, { title: 'A <run>' });
  const figures: RenderedFigure[] = [];
  for (const { figure } of blocksOf(report, 'figure')) figures.push(await draw(figure));
  return { page: renderPage(report, figures), markdown: renderMarkdown(report) };
}

describe('the page', () => {
  it('is self-contained: no source, no link except to itself, its data and the explorable page', async () => {
    const { page } = await render(makeResults());
    expect(page).not.toMatch(/<script[^>]* src|<object|<iframe|<link rel="stylesheet"|@import|url\(/);
    const sources = [...page.matchAll(/\ssrc="([^"]{0,30})/g)].map(([, source]) => source ?? '');
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((source) => !source.startsWith('data:image/png;base64,'))).toEqual([]);
    const targets = [...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target ?? '');
    const expected = /^(#|explore\.html$|figures\/[a-z-]+\.csv$|data:,$)/;
    expect(targets.filter((target) => !expected.test(target))).toEqual([]);
  });

  it('allows no script and no request', async () => {
    const { page } = await render(makeResults());
    expect(page).not.toContain('<script');
    expect(page).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"`,
    );
  });

  it('escapes all text from outside', async () => {
    const model = makeModelResult({ title: HOSTILE });
    const base = makeResults();
    const { page } = await render({
      ...base,
      dataset: { ...NMNIST, title: HOSTILE },
      classes: [HOSTILE, 'b'],
      models: [model],
      manifest: { ...base.manifest, warnings: [HOSTILE], perClass: { [HOSTILE]: 1 } },
    });
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('&lt;script&gt;');
    expect(page).toContain('<title>A &lt;run&gt;</title>');
  });

  it('links to existing sections only', async () => {
    const { page } = await render(makeResults());
    const anchors = [...page.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id ?? '');
    expect(anchors.length).toBeGreaterThan(5);
    for (const id of anchors) expect(page).toContain(`id="${id}"`);
  });

  it('uses each id once', async () => {
    const { page } = await render(makeResults({ simulated: true }));
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('warns above everything else when the data are simulated or other data', async () => {
    const simulated = await render(makeResults({ simulated: true }));
    expect(simulated.page).toContain('Simulated data: these results say nothing about the thesis');
    expect(simulated.page.indexOf('class="banner"')).toBeLessThan(simulated.page.indexOf('<h1>'));
    expect(simulated.markdown).toContain('> **Simulated data: these results say nothing about the thesis.**');
    expect(simulated.page).toContain('With the recordings of DVS128 Gesture, the same pipeline');
    const control = await render(makeResults({ simulated: true, dataset: TWO_SCALES }));
    expect(control.page).toContain('The thesis reports DVS128 Gesture only, so its accuracies are left out.');
    const other = await render(makeResults({ dataset: NMNIST }));
    expect(other.page).toContain('Another data set: N-MNIST');
    const real = await render(makeResults());
    expect(real.page).not.toContain('class="banner"');
  });

  it('describes every figure in words and links to its data', async () => {
    const { page } = await render(makeResults());
    const report = buildReport(makeResults(), { title: '' });
    const ids = blocksOf(report, 'figure').map(({ figure }) => figure.id);
    expect(ids).toEqual(expect.arrayContaining(['outcomes', 'accuracy', 'loss', 'tau', 'confusion']));
    for (const id of ids) {
      expect(page).toMatch(new RegExp(`<figure id="figure-${id}"`));
      expect(page).toContain(`href="figures/${id}.csv"`);
    }
    expect(page.match(/role="img" aria-label="[^"]{20,}"/g)).toHaveLength(ids.length);
  });

  it('uses the colours of models for nothing else', async () => {
    const models = Array.from({ length: 8 }, (_, i) => makeModelResult({ id: `m${i}`, title: `Model ${i}` }));
    const report = buildReport(makeResults({ models }), { title: '' });
    const meanings = new Map<string, Set<string>>();
    const figures = blocksOf(report, 'figure').map(({ figure }) => figure);
    for (const { legend } of figures) {
      for (const { color, label } of legend)
        meanings.set(color, (meanings.get(color) ?? new Set()).add(label));
    }
    const shared = [...meanings].filter(([color, labels]) => color !== 'ink' && labels.size > 1);
    expect(shared).toEqual([]);
    expect(meanings.size).toBe(9);
    for (const figure of figures.filter(({ id }) => ['network', 'confusion'].includes(id)))
      expect(JSON.stringify(figure.panels)).not.toMatch(/var\(--(?!ink|grey|heat|surface|on-)/);
  });
});

describe('the Markdown', () => {
  it('has as many cells in every row as in the header, whatever a cell contains', async () => {
    const { markdown } = await render(makeResults({ models: [makeModelResult({ title: HOSTILE })] }));
    const tables = markdown.split('\n\n').filter((block) => block.includes('| ---'));
    expect(tables.length).toBeGreaterThan(3);
    for (const table of tables) {
      const widths = table
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .map((line) => line.replaceAll('\\|', '').split('|').length);
      expect(new Set(widths).size).toBe(1);
    }
    expect(markdown).not.toContain('<script>');
  });

  it('shows the figures next to it', async () => {
    const { markdown } = await render(makeResults());
    expect(markdown).toContain('](figures/accuracy.svg)');
    expect(markdown).toContain('[Data as CSV](figures/accuracy.csv)');
    expect(markdown).toMatch(
      /### clap\n\n!\[A clip of the class clap[^\]]+\]\(clips\/01\.png\)\n\nuser24\\_led/,
    );
  });
});
