import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { measure, useBrowser } from './visit.ts';

const visit = useBrowser();
const GESTURES = 'four models on simulated gestures';
const STILL = { file: 'explore.html', reducedMotion: 'reduce' } as const;

/** The part of the panel below this heading. */
const way = (page: Page, title: string) => page.locator('.own .ways > div', { hasText: title });
const told = (page: Page) => page.locator('.own [role=status]');
/** Enough is recorded, by the page's clock. */
async function recorded(page: Page): Promise<void> {
  const now = () => measure<number>(page, 'performance.now()');
  const from = await now();
  await expect.poll(now).toBeGreaterThan(from + 250);
}

/** The page shows the own clip, under this name. */
async function expectShown(page: Page, name: string): Promise<void> {
  const chosen = `[...document.querySelectorAll('.controls option:checked')].map((one) => one.textContent)`;
  await expect.poll(() => measure<string[]>(page, chosen)).toContain(name);
  await expect.poll(() => measure(page, 'location.hash')).toContain('clip=own');
  await expectAnswer(page);
}

/** A network has answered. */
async function expectAnswer(page: Page): Promise<void> {
  await expect
    .poll(() => page.locator('#sentence').textContent(), { timeout: 30_000 })
    .not.toMatch(/^(Computing …)?$/);
}

describe('a clip of one’s own', () => {
  test('is recorded while the mouse is pressed, and shown to the networks', async () => {
    await visit(GESTURES, STILL, async ({ page, complaints }) => {
      const pad = way(page, 'Move a disc');
      // What is above the panel grows with the first answer.
      await expectAnswer(page);
      await pad.locator('canvas').scrollIntoViewIfNeeded();
      const { x, y, width } = (await pad.locator('canvas').boundingBox())!;
      await page.mouse.move(x + 0.2 * width, y + 0.3 * width);
      await page.mouse.down();
      for (const side of [0.4, 0.1, 0.4]) {
        await page.mouse.move(x + side * width, y + 0.3 * width, { steps: 3 });
      }
      await recorded(page);
      await page.mouse.up();
      await expect
        .poll(() => told(page).textContent())
        .toMatch(
          /^Your disc: \d,?\d{3} events in [\d.]+ s, in 16 frames\. The networks see this clip now\.$/,
        );
      await expectShown(page, 'Your disc');
      await page.getByRole('link', { name: 'Look at it' }).click();
      expect(
        await measure(page, `document.querySelector('.controls').getBoundingClientRect().top >= 0`),
      ).toBe(true);
      await expect.poll(() => measure(page, 'location.hash')).toContain('clip=own');
      expect(complaints).toEqual([]);
    });
  });

  test('is recorded from the first arrow key to Enter, and the page stays at its step', async () => {
    await visit(GESTURES, STILL, async ({ page }) => {
      const pad = way(page, 'Move a disc');
      await pad.locator('canvas').focus();
      await page.keyboard.down('ArrowRight');
      await recorded(page);
      await page.keyboard.up('ArrowRight');
      await page.keyboard.press('Enter');
      await expectShown(page, 'Your disc');
      expect(await page.locator('.step').textContent()).toBe('step 1 of 16');
      // A tap alone moves nothing.
      await pad.locator('canvas').click();
      await expect.poll(() => told(page).textContent()).toContain('too short');
    });
  });

  test('is not recorded after Escape, nor after the 3 seconds that it could have taken', async () => {
    await visit(GESTURES, STILL, async ({ page }) => {
      await expectAnswer(page);
      await page.clock.install();
      await way(page, 'Move a disc').locator('canvas').focus();
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => told(page).textContent()).toBe('Recording …');
      await page.keyboard.press('Escape');
      await page.clock.runFor(4000);
      await expect.poll(() => told(page).textContent()).toBe('Cancelled: nothing was recorded.');
      expect(await measure(page, 'location.hash')).not.toContain('clip=own');
    });
  });

  test('may be a part of a recording’s file; another part follows the numbers, and errors are in words', async () => {
    await visit(GESTURES, STILL, async ({ page, complaints }) => {
      const file = way(page, 'Load a recording');
      const choose = (name: string) => file.locator('[type=file]').setInputFiles(`test/${name}`);
      await choose('golden/recording.aedat');
      await expect.poll(() => told(page).textContent()).toContain('recording.aedat: 224 events in 1.5 s');
      await file.getByLabel('Seconds').fill('60');
      await file.getByLabel('Seconds').press('Enter');
      await expect.poll(() => told(page).textContent()).toContain('recording.aedat: 300 events');
      await expectShown(page, 'recording.aedat');
      await choose('fixtures/formats/davis-zstd.aedat4');
      await expect
        .poll(() => told(page).textContent())
        .toBe(
          'davis-zstd.aedat4: the sensor has 346 × 260 pixels; the networks of this page expect 128 × 128 pixels. Recordings are not scaled: choose one that fits.',
        );
      expect(complaints).toEqual([]);
    });
  });

  test('is read by a thread, while the page says so; a file that is chosen meanwhile is read in its place', async () => {
    await visit(GESTURES, STILL, async ({ page, complaints }) => {
      await expectAnswer(page);
      // Holds the first request.
      await page.evaluate(`
        const { postMessage } = Worker.prototype;
        window.asked = [];
        Worker.prototype.postMessage = function (request) {
          if (request.kind !== 'read') return postMessage.call(this, request);
          if (window.asked.push(request.task.file.name) > 1) postMessage.call(this, request);
        };
      `);
      const file = way(page, 'Load a recording').locator('[type=file]');
      await file.setInputFiles('test/fixtures/formats/davis-zstd.aedat4');
      await expect.poll(() => told(page).textContent()).toBe('Reading davis-zstd.aedat4 …');
      await file.setInputFiles('test/golden/recording.aedat');
      await expectShown(page, 'recording.aedat');
      expect(await measure(page, 'window.asked')).toEqual(['davis-zstd.aedat4', 'recording.aedat']);
      expect(complaints).toEqual([]);
    });
  });
});
