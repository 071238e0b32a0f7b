import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { measure, TITLES, useBrowser } from './visit.ts';

const visit = useBrowser();

/** The figures of a report, by the list beside them. */
async function listFigures(title: string): Promise<string[]> {
  const list = new URL('figures/index.json', inject('reports')[title]);
  const { figures }: { figures: { id: string }[] } = JSON.parse(await readFile(fileURLToPath(list), 'utf8'));
  return figures.map(({ id }) => `figure-${id}`);
}

describe.each(TITLES)('the report of %s', (title) => {
  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
  ] as const)(
    'loads without errors or requests, and shows every figure, %s, %i px wide',
    async (colorScheme, width) => {
      await visit(title, { colorScheme, viewport: { width, height: 900 } }, async ({ page, complaints }) => {
        expect(complaints).toEqual([]);
        expect(await page.title()).toBe(title);
        expect(await measure(page, 'document.documentElement.scrollWidth')).toBe(width);
        const backgrounds = { light: 'rgb(255, 255, 255)', dark: 'rgb(20, 23, 27)' };
        expect(await measure(page, 'getComputedStyle(document.body).backgroundColor')).toBe(
          backgrounds[colorScheme],
        );
        const sizes = await measure<Size[]>(page, SIZES);
        expect([...new Set(sizes.map(({ id }) => id))]).toEqual(await listFigures(title));
        for (const size of sizes) {
          expect(size.width, size.id).toBeGreaterThan(150);
          expect(size.height, size.id).toBeGreaterThan(60);
          expect(size.shapes, size.id).toBeGreaterThan(10);
          expect(size.left, size.id).toBeGreaterThanOrEqual(0);
          // Wide figures may scroll on a phone.
          if (width > 1000) expect(size.right, size.id).toBeLessThanOrEqual(width);
        }
      });
    },
  );

  it('prints on white whatever the colour scheme, with nothing wider than the paper', async () => {
    await visit(title, { colorScheme: 'dark' }, async ({ page }) => {
      // The width of A4 between the margins, in CSS pixels.
      await page.setViewportSize({ width: 673, height: 1000 });
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      expect(await measure(page, 'getComputedStyle(document.body).backgroundColor')).toBe(
        'rgb(255, 255, 255)',
      );
      expect(await measure<string[]>(page, TOO_WIDE)).toEqual([]);
      const pdf = await page.pdf({ format: 'A4', preferCSSPageSize: true });
      const pages = pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0;
      expect(pages).toBeGreaterThan(3);
      expect(pages).toBeLessThan(32);
    });
  });
});

it('needs no script to be read', async () => {
  await visit(TITLES[0] ?? '', { javaScriptEnabled: false }, async ({ page, complaints }) => {
    expect(complaints).toEqual([]);
    const figures = await page.locator('figure:not(.outside)').count();
    expect(figures).toBe((await listFigures(TITLES[0] ?? '')).length);
    expect(await page.locator('figure .panels').evaluateAll((all) => all.length)).toBe(figures);
  });
});

it('has clips that are dark on a dark page, and on paper as they were drawn', async () => {
  await visit(TITLES[2] ?? '', { colorScheme: 'dark' }, async ({ page }) => {
    const filters = `['.gallery img', '.swatch'].map((one) => getComputedStyle(document.querySelector(one)).filter)`;
    expect(await measure(page, filters)).toEqual([
      'invert(1) hue-rotate(180deg)',
      'invert(1) hue-rotate(180deg)',
    ]);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await measure(page, filters)).toEqual(['none', 'none']);
  });
});

it('shows on a phone that wide tables scroll, and keeps the size of texts in wide drawings', async () => {
  await visit(TITLES[2] ?? '', { viewport: { width: 400, height: 900 } }, async ({ page }) => {
    const table = '#table-1 .scroll';
    const overflows = `(() => { const { scrollWidth, clientWidth } = document.querySelector('${table}'); return scrollWidth > clientWidth; })()`;
    expect(await measure(page, overflows)).toBe(true);
    expect(
      await measure(page, `getComputedStyle(document.querySelector('${table}')).backgroundImage`),
    ).toMatch(/^(linear-gradient\(.*){4}$/);
    // Drawn for a width of 444 px, with texts of 11.
    const scale = `(() => { const svg = document.querySelector('#figure-confusion svg'); return svg.getBoundingClientRect().width / svg.viewBox.baseVal.width; })()`;
    expect(await measure(page, scale)).toBeGreaterThanOrEqual(1);
  });
});

interface Size {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly shapes: number;
}

const SIZES = `[...document.querySelectorAll('figure .panels > svg')].map((svg) => {
  const { width, height, left, right } = svg.getBoundingClientRect();
  const shapes = svg.querySelectorAll('path, line, rect, text').length;
  return { id: svg.closest('figure').id, width, height, left, right, shapes };
})`;

/** What sticks out of the page to the right, and would be cut off. */
const TOO_WIDE = `[...document.querySelectorAll('main *, header *')]
  .filter((element) => element.getClientRects().length > 0 && element.getBoundingClientRect().right > innerWidth + 1)
  .map((element) => element.tagName + ' ' + element.textContent.trim().slice(0, 40))`;
