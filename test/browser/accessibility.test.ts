import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { describe, expect, it } from 'vitest';
import { measure, TITLES, tabThrough, useBrowser } from './visit.ts';

const visit = useBrowser();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.each(TITLES)('the report of %s', (title) => {
  it.each(['light', 'dark'] as const)(
    'has no faults that axe finds, and contrast in figures, %s',
    async (colorScheme) => {
      await visit(title, { colorScheme }, async ({ page }) => {
        await page.evaluate(axe);
        const found = await measure<AxeResults>(page, 'axe.run()');
        expect(found.passes.length).toBeGreaterThan(15);
        const faults = found.violations.flatMap(({ id, nodes }) =>
          nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
        );
        expect(faults).toEqual([]);
        // axe does not look into figures. WCAG 2.2 requires 4.5 for small text at level AA.
        const contrasts = await measure<
          { figure: string; text: string; onCell: boolean; contrast: number }[]
        >(page, CONTRASTS);
        expect(contrasts.length).toBeGreaterThan(20);
        expect(contrasts.filter(({ onCell }) => onCell).length).toBeGreaterThan(10);
        expect(contrasts.filter(({ contrast }) => contrast < 4.5)).toEqual([]);
      });
    },
  );
});

it.each([TITLES[0], TITLES[2]])(
  'the report of %s can be read with the Tab key alone, in the order of the page, with a visible focus',
  async (title = '') => {
    await visit(title, {}, async ({ page }) => {
      const order = await tabThrough(page);
      expect(order[0]?.text).toBe('Skip to the results');
      expect(order.length).toBe(
        await measure(page, `document.querySelectorAll('a[href], summary, [tabindex="0"]').length`),
      );
      const places = order.map(({ index }) => index);
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(order.filter(({ hasOutline }) => !hasOutline)).toEqual([]);
      expect(order.filter(({ isVisible }) => !isVisible)).toEqual([]);
    });
  },
);

it('moves nothing, so that whoever asks for reduced motion gets it', async () => {
  await visit(TITLES[0] ?? '', { reducedMotion: 'reduce' }, async ({ page }) => {
    const moving = await measure<string[]>(
      page,
      `[...document.querySelectorAll('*')].filter((element) => {
        const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(element);
        return animationName !== 'none' || transitionDuration !== '0s' || scrollBehavior === 'smooth';
      }).map((element) => element.tagName)`,
    );
    expect(moving).toEqual([]);
    expect(await measure(page, 'document.getAnimations().length')).toBe(0);
  });
});

/** The WCAG 2 contrast ratio of each text in a figure against what is behind it, taking opacity into account. */
const CONTRASTS = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const background = parse(getComputedStyle(document.body).backgroundColor);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const mix = (color, opacity, behind) => behind.slice(0, 3).map((value, i) => color[i] * opacity + value * (1 - opacity));
  const contrast = (color, opacity, behind) => {
    const [low, high] = [luminance(mix(parse(color), opacity, behind)), luminance(behind)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const isInside = (text, box) => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    return box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
  };
  // Of each drawing, the coloured cells of a matrix, from back to front: their text has them as its background.
  const cells = new Map([...document.querySelectorAll('figure[id$="confusion"] .panels > svg')].map((svg) => [
    svg,
    [...svg.querySelectorAll('path')]
      .map((path) => ({ box: path.getBoundingClientRect(), style: getComputedStyle(path) }))
      .filter(({ box, style }) => style.fill.startsWith('rgb') && box.width > 10 && box.width < 40),
  ]));
  return [...document.querySelectorAll('.panels text')].map((element) => {
    const style = getComputedStyle(element);
    const below = (cells.get(element.closest('.panels > svg')) ?? []).filter(({ box }) => isInside(element, box));
    const behind = below.reduce((color, cell) => mix(parse(cell.style.fill), Number(cell.style.opacity) * Number(cell.style.fillOpacity), color), background);
    return {
      figure: element.closest('figure').id,
      text: element.textContent,
      onCell: below.length > 1,
      contrast: contrast(style.fill, Number(style.opacity) * Number(style.fillOpacity), behind),
    };
  });
})()`;
