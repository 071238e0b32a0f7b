import { describe, expect, it } from 'vitest';
import { TITLES, useBrowser } from './visit.ts';

const visit = useBrowser();
const [simulated = '', , logged = ''] = TITLES;

describe('values at the pointer', () => {
  it('are those of every line at the nearest epoch, and go with the pointer', async () => {
    await visit(simulated, {}, async ({ page, complaints }) => {
      const panel = page.locator('#figure-simulated-accuracy-by-model .panels > svg').first();
      await panel.scrollIntoViewIfNeeded();
      const bubble = page.locator('#figure-simulated-accuracy-by-model .bubble');
      expect(await bubble.isVisible()).toBe(false);
      const box = await panel.boundingBox();
      // The last epoch is at the right end of the axis.
      await page.mouse.move(box!.x + box!.width - 16, box!.y + box!.height / 2);
      await page.mouse.move(box!.x + box!.width - 15, box!.y + box!.height / 2);
      expect(await bubble.locator('.head').textContent()).toBe('epoch 12');
      const readings = await bubble.locator('p:not(.head)').allTextContents();
      expect(readings.map((text) => text.replace(/\d+\.\d/, '#'))).toEqual([
        'training #\u00a0%',
        'validation #\u00a0%',
        'test #\u00a0%',
      ]);
      expect(await page.locator('#figure-simulated-accuracy-by-model .cursor.on').count()).toBe(4);
      await page.mouse.move(1, 1);
      expect(await bubble.isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    });
  });

  it('include the authors’ logs and what lies below the axis, and stay where a finger tapped', async () => {
    await visit(logged, { hasTouch: true }, async ({ page, complaints }) => {
      const panel = page.locator('#figure-accuracy .panels > svg').first();
      await panel.scrollIntoViewIfNeeded();
      const bubble = page.locator('#figure-accuracy .bubble');
      const box = await panel.boundingBox();
      // The first epochs, which are cut off, are at the left end of the axis: 62 of 440 px.
      await page.touchscreen.tap(box!.x + (box!.width * 62) / 440 + 1, box!.y + box!.height / 2);
      expect(await bubble.isVisible()).toBe(true);
      const readings = await bubble.locator('p:not(.head)').allTextContents();
      expect(readings.map((text) => text.replaceAll('\u00a0', ' ').replace(/ \d+\.\d %$/, ''))).toEqual([
        'Baseline',
        'Baseline, authors’ logs',
        'No Reg.',
        'λ = .01',
        'λ = .1',
      ]);
      await page.touchscreen.tap(box!.x + box!.width / 2, box!.y - 60);
      expect(await bubble.isVisible()).toBe(false);
      expect(complaints).toEqual([]);
    });
  });

  it('are the clips of a cell of a confusion matrix, inside the window', async () => {
    await visit(simulated, {}, async ({ page }) => {
      const panel = page.locator('#figure-simulated-confusion .panels > svg').nth(1);
      await panel.scrollIntoViewIfNeeded();
      const box = await panel.boundingBox();
      await page.mouse.move(box!.x + box!.width * 0.9, box!.y + box!.height * 0.9);
      await page.mouse.move(box!.x + box!.width * 0.91, box!.y + box!.height * 0.91);
      const bubble = page.locator('#figure-simulated-confusion .bubble');
      expect(await bubble.textContent()).toMatch(/: \d+ of \d+ clips$/);
      const shown = await bubble.boundingBox();
      expect(shown!.x + shown!.width).toBeLessThanOrEqual(1280);
      expect(shown!.y + shown!.height).toBeLessThanOrEqual(900);
    });
  });
});

describe('values by keyboard', () => {
  it('are read out for the epoch that the arrow keys choose', async () => {
    await visit(logged, {}, async ({ page, complaints }) => {
      const slider = page.locator('#figure-tau input');
      await slider.focus();
      expect(await slider.getAttribute('aria-valuetext')).toMatch(
        /^epoch 600\. Layer 1: Baseline \d\.\d\d, /,
      );
      await page.keyboard.press('ArrowLeft');
      expect(await slider.getAttribute('aria-valuetext')).toMatch(
        /^epoch 599\. .*Layer 7: Baseline \d\.\d\d/,
      );
      expect(await page.locator('#figure-tau .readings .head').first().textContent()).toBe(
        'Layer 1, epoch 599',
      );
      expect(await page.locator('#figure-tau .cursor.on').count()).toBe(7);
      await page.keyboard.press('Tab');
      expect(await page.locator('#figure-tau .cursor.on').count()).toBe(0);
      expect(complaints).toEqual([]);
    });
  });
});
