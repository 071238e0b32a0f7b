import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { measure, TITLES, useBrowser } from './visit.ts';

const visit = useBrowser();
const [present = '', absent = ''] = TITLES;

/** The colour near a corner of the picture, where edges are not smoothed, and how many others it has. */
function lookAt(screenshot: Buffer): { corner: number[]; colors: number } {
  const { data, width } = PNG.sync.read(screenshot);
  const at = 4 * (6 * width + 6);
  const colors = new Set<number>();
  for (let i = 0; i < data.length; i += 4) colors.add(data.readUInt32BE(i));
  return { corner: [...data.subarray(at, at + 3)], colors: colors.size };
}

const white = [255, 255, 255];
const dark = [20, 23, 27];

describe('the timeline beside the page', () => {
  it.each([
    ['light', 'screen', 1280, white],
    ['dark', 'screen', 1280, dark],
    ['dark', 'screen', 360, dark],
    ['dark', 'print', 673, white],
  ] as const)(
    'is shown in a %s colour scheme, on %s, %i px wide',
    async (colorScheme, media, width, surface) => {
      await visit(
        present,
        { colorScheme, viewport: { width, height: 900 } },
        async ({ page, complaints }) => {
          await page.emulateMedia({ media, colorScheme });
          const picture = page.locator('#figure-timeline object');
          await picture.scrollIntoViewIfNeeded();
          const { corner, colors } = lookAt(await picture.screenshot());
          expect(corner).toEqual(surface);
          // Bars, text and what is between.
          expect(colors).toBeGreaterThan(20);
          expect(await page.locator('#figure-timeline object p').isVisible()).toBe(false);
          expect(await measure(page, 'document.documentElement.scrollWidth')).toBe(width);
          // On a phone it scrolls within the page, at a size that can be read.
          const box = await picture.boundingBox();
          expect(box?.width).toBeGreaterThan(media === 'screen' ? 700 : 500);
          expect(complaints).toEqual([]);
        },
      );
    },
  );

  it.each([
    ['light', 1280],
    ['dark', 360],
  ] as const)('leaves a sentence where it is missing, %s, %i px wide', async (colorScheme, width) => {
    await visit(absent, { colorScheme, viewport: { width, height: 900 } }, async ({ page, complaints }) => {
      const text = page.locator('#figure-timeline object p');
      expect(await text.isVisible()).toBe(true);
      expect(await text.textContent()).toMatch(/^The picture is missing: .* \.\/repro timeline shows it\.$/);
      const box = await text.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
      expect(complaints).toEqual([]);
    });
  });

  it.each([present, absent])('has a text alternative, and its values as CSV: %s', async (title) => {
    await visit(title, {}, async ({ page }) => {
      // What screen readers are told; the SVG has its own title and description, too.
      expect(await page.locator('#figure-timeline object').getAttribute('aria-label')).toMatch(
        /^A timeline of the stages: /,
      );
      const region = page.getByRole('region', { name: 'Time and memory of each stage' });
      expect(await region.count()).toBe(1);
      expect(await page.locator('#figure-timeline a').getAttribute('href')).toBe('../timeline/timeline.csv');
    });
  });
});
