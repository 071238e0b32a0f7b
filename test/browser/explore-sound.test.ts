import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { decodeWav, encodeWav } from '../../src/formats/wav.ts';
import { measure, useBrowser } from './visit.ts';

const DIGITS = 'two models on spoken digits';
/** The machine may be busy. */
const SLOW = { timeout: 30_000 };
const STILL = { file: 'explore.html', reducedMotion: 'reduce' } as const;

/** Two seconds of 16 kHz: a tone that rises, silent in the last tenth of each half second. */
const TONE = Float32Array.from({ length: 32_000 }, (_, i) => {
  const seconds = (i / 16_000) % 0.5;
  return seconds < 0.4 ? 0.5 * Math.sin(2 * Math.PI * (300 + 2000 * seconds) * seconds) : 0;
});
const folder = mkdtempSync(join(tmpdir(), 'explore-sound-'));
const tone = join(folder, 'tone.wav');
writeFileSync(tone, encodeWav(16_000, TONE));
afterAll(() => rmSync(folder, { recursive: true }));

/** A browser whose microphone hears the tone, and one without a microphone. */
const visit = useBrowser([
  ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  `--use-file-for-fake-audio-capture=${tone}`,
]);
const visitWithout = useBrowser();

const told = (page: Page) => page.locator('.own [role=status]');
const button = (page: Page) => page.locator('.own button');

/** The network has answered for this clip, which can be played from its start to its end, in seconds. */
async function expectHeard(page: Page, name: string, [from, to]: readonly [number, number]): Promise<void> {
  const chosen = `document.querySelector('#clip').selectedOptions[0].textContent`;
  await expect.poll(() => measure<string>(page, chosen), SLOW).toBe(name);
  const audio = page.locator('.scene audio');
  await expect.poll(() => audio.getAttribute('src'), SLOW).toMatch(new RegExp(`^blob:.*#t=${from},${to}$`));
  await expect
    .poll(() => page.locator('#sentence').textContent(), SLOW)
    .toMatch(/^The answer is “|^No class gets a vote/);
  await expect
    .poll(() => measure<number>(page, `document.querySelector('.scene audio').currentTime`), SLOW)
    .toBe(from);
}

test('a file of sound is heard by the networks, and played in the part that they hear', async () => {
  await visitWithout(DIGITS, STILL, async ({ page, complaints }) => {
    await page.locator('.scene canvas').waitFor();
    expect(await page.locator('.scene h2').textContent()).toBe('What the network hears');
    expect(await page.locator('.axes').textContent()).toMatch(/1\s*band\s*64\s*0\s*time, ms\s*1,000/);
    expect(await page.locator('.scene audio').count()).toBe(0);
    await page.locator('.own [type=file]').setInputFiles(tone);
    await expect
      .poll(() => told(page).textContent(), SLOW)
      .toMatch(/^tone\.wav: [\d,]+ events in .* hear this clip now/);
    await expectHeard(page, 'tone.wav', [0, 1]);
    const first = await page.locator('.scene audio').getAttribute('src');
    await page.locator('.own').getByLabel('From second').fill('0.5');
    await page.locator('.own').getByLabel('From second').press('Enter');
    await expectHeard(page, 'tone.wav', [0.5, 1.5]);
    expect(complaints).toEqual([]);
    // Its policy lets the page not fetch the first address, but play it, if it were still there.
    const isGone = `new Promise((resolve) => {
      const audio = new Audio(${JSON.stringify(first)});
      audio.onerror = () => resolve(true);
      audio.oncanplay = () => resolve(false);
    })`;
    expect(await measure(page, isGone)).toBe(true);
    await page.locator('#clip').selectOption({ index: 0 });
    await expect.poll(() => page.locator('.scene audio').count(), SLOW).toBe(0);
  });
});

test('the microphone is recorded for as long as a clip lasts, and the networks hear it as a file', async () => {
  await visit(DIGITS, STILL, async ({ page, complaints }) => {
    await page.locator('.scene canvas').waitFor();
    await page.evaluate(`
      const { getUserMedia } = MediaDevices.prototype;
      MediaDevices.prototype.getUserMedia = async function (...given) {
        return (window.stream = await getUserMedia.apply(this, given));
      };
    `);
    expect((await button(page).textContent())!.trim()).toBe('Record 1 s');
    await button(page).click();
    const recording = `[...document.querySelectorAll('.own button:disabled')].map((one) => one.textContent.trim())`;
    await expect.poll(() => measure(page, recording), SLOW).toEqual(['Recording …']);
    await expectHeard(page, 'recording.wav', [0, 1]);
    expect(await told(page).textContent()).toMatch(/^recording\.wav: [\d,]+ events in/);
    await expect.poll(() => button(page).isEnabled(), SLOW).toBe(true);
    expect(await measure(page, `window.stream.getTracks().map((track) => track.readyState)`)).toEqual([
      'ended',
    ]);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Save this sound' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('recording.wav');
    const { rateHz, samples } = decodeWav(await readFile(await download.path()), 'recording.wav');
    expect(rateHz).toBe(16_000);
    // The browser may begin or end some milliseconds late.
    expect(samples.length).toBeGreaterThan(12_000);
    expect(samples.length).toBeLessThanOrEqual(16_000);
    expect(samples.reduce((most, sample) => Math.max(most, sample), 0)).toBeGreaterThan(0.2);
    expect(complaints).toEqual([]);
  });
});

test('without a microphone, the page says so, and what to do', async () => {
  await visitWithout(DIGITS, STILL, async ({ page }) => {
    await page.locator('.scene canvas').waitFor();
    await button(page).click();
    await expect
      .poll(() => told(page).textContent(), SLOW)
      .toMatch(/^The microphone cannot be used \(.+\): .*load a file\.$/);
    expect(await button(page).isEnabled()).toBe(true);
    expect(await measure(page, 'location.hash')).not.toContain('clip=own');
  });
});

test('networks for a camera have no microphone', async () => {
  await visit('four models on simulated gestures', STILL, async ({ page }) => {
    await page.locator('.scene canvas').waitFor();
    expect(await page.locator('.scene h2').textContent()).toBe('What the network sees');
    expect(await button(page).count()).toBe(0);
    expect(await page.locator('.axes').count()).toBe(0);
  });
});
