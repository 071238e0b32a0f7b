import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, inject, it } from 'vitest';
import { measure, tabThrough, useBrowser, type Visit } from './visit.ts';

const visit = useBrowser();
const GESTURES = 'four models on simulated gestures';
/** Its network has linear layers of 16 and 100 neurons, and answers in milliseconds; T is 8. */
const DIGITS = 'one model on ten digits';

/** For what a network computes, on a busy machine. */
const SLOW = { timeout: 30_000 };

/** Opens a page that stands still, and waits for the network's first answer. */
function open(title: string, address: string, look: (visit: Visit) => Promise<void>): Promise<void> {
  return visit(title, { file: `explore.html${address}`, reducedMotion: 'reduce' }, async (made) => {
    await expectText(made.page, '#sentence').not.toMatch(/^(Computing …)?$/);
    await look(made);
    expect(made.complaints).toEqual([]);
  });
}

/** Asks again until the text is as wanted. */
function expectText(page: Page, selector: string) {
  return expect.poll(() => page.locator(selector).first().textContent(), SLOW);
}

const read = (page: Page, selector: string) => page.locator(selector).first().textContent();
const slider = (page: Page, name: string | RegExp) => page.getByRole('slider', { name });
const choice = (page: Page, name: string | RegExp) => page.getByRole('combobox', { name, exact: true });
const undo = (page: Page) => page.getByRole('button', { name: 'Undo all changes' });
/** The counts of the network, then of the one beside it. */
const counts = (page: Page, column: 1 | 2) =>
  page.locator(`.counts tbody td:nth-child(${column + 1})`).allTextContents();
const events = (page: Page) => page.locator('canvas.events').getAttribute('aria-label');

describe('the explorable page', () => {
  it('opens with a clip that plays and a neuron that fires, keeps changes in its address, and pauses at the space bar', async () => {
    await visit(DIGITS, { file: 'explore.html' }, async ({ page, complaints }) => {
      await expectText(page, '.inspector .account').toMatch(/^[1-8] spikes? in the clip/);
      expect(await read(page, '.play')).toBe('Pause');
      await expectText(page, '.player output').not.toBe('step 1 of 8');
      await slider(page, 'of all neurons').fill('1');
      await expect.poll(() => page.url(), SLOW).toMatch(/&tau=all\*2$/);
      expect(await read(page, '.play')).toBe('Pause');
      await page.keyboard.press('Space');
      await expectText(page, '.play').toBe('Play');
      expect(complaints).toEqual([]);
    });
  });

  it('goes from step to step by keys and by a slider, and counts along', async () => {
    await open(DIGITS, '', async ({ page }) => {
      expect(await read(page, '.play')).toBe('Play');
      const first = await counts(page, 1);
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowLeft');
      await expectText(page, '.player output').toBe('step 2 of 8');
      await expectText(page, '.inspector .account').toContain('Step 2 of 8');
      await slider(page, 'Step').fill('8');
      await expectText(page, '.player output').toBe('step 8 of 8');
      await expectText(page, '[role=status].unseen').toMatch(/Votes so far: .* Step 8 of 8: input/);
      const last = await counts(page, 1);
      const [spikes, operations] = [0, 1].map((row) =>
        [first, last].map((all) => Number(all[row]?.replaceAll(',', ''))),
      );
      expect(spikes?.[1]).toBeGreaterThan(spikes?.[0] ?? Infinity);
      expect(operations?.[1]).toBeGreaterThan(operations?.[0] ?? Infinity);
      expect(last.slice(2)).toEqual(first.slice(2));
    });
  });

  it('shows the neuron that one clicks, and its neighbours by the arrow keys', async () => {
    await open(GESTURES, '#model=0&step=3&neuron=0.0', async ({ page }) => {
      const maps = page.locator('.layer canvas').nth(1);
      await maps.click({ position: { x: 5, y: 5 } });
      await expectText(page, '.inspector .name').toMatch(/^Layer 2, map 1, row \d, column \d: τ = /);
      const [row, column] = (await read(page, '.inspector .name'))!
        .match(/\d(?=[,:])/g)!
        .slice(2)
        .map(Number);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowRight');
      await expectText(page, '.inspector .name').toContain(`map 1, row ${row! + 1}, column ${column! + 1}:`);
      expect(await read(page, '.player output')).toBe('step 4 of 16');
      await expectText(page, '[role=status].unseen').toContain('Layer 2, map 1');
      await page.getByRole('radio', { name: 'potential' }).check();
      await expect.poll(() => maps.getAttribute('aria-label'), SLOW).toContain('membrane potential');
      await page.getByRole('radio', { name: 'time constant τ' }).check();
      await expect.poll(() => maps.getAttribute('aria-label'), SLOW).toContain('time constant');
    });
  });

  it('answers a change of τ, threshold or reset in words, and undoes all', async () => {
    await open(DIGITS, '', async ({ page }) => {
      const first = await read(page, '#sentence');
      expect(first).toMatch(
        /^The answer is “\d” \((right|wrong: the clip is “\d”)\)\. (It leads from step \d of 8 on|.* tie at the end; the first counts)\.$/,
      );
      expect(await undo(page).isDisabled()).toBe(true);
      // Twice as long; τ was 2 in both layers.
      await slider(page, 'of all neurons').fill('1');
      await expectText(page, '#sentence').toMatch(
        /^(The|Without your changes, the) answer is “\d”.*; now with .* spikes and .* synaptic operations\.$/,
      );
      await expectText(page, '.taus').toContain('All 16 neurons have τ = 4.00 steps.');
      expect(await read(page, '.inspector .name')).toMatch(/: τ = 4\.00 steps, learned 2\.00$/);
      await slider(page, 'of layer 2').fill('-1');
      await expectText(page, '.inspector .name').toMatch(/: τ = 2\.00 steps$/);
      await slider(page, 'of this neuron').fill('2');
      await expectText(page, '.inspector .name').toMatch(/: τ = 8\.00 steps/);
      await undo(page).click();
      await expectText(page, '#sentence').toBe(first);
      expect(await slider(page, 'of all neurons').getAttribute('aria-valuetext')).toBe('× 1');

      await slider(page, 'Threshold').fill('3');
      await expectText(page, '#sentence').toMatch(/fewer spikes|no spikes/);
      await slider(page, 'Threshold').fill('0.2');
      await expectText(page, '#sentence').toMatch(/more spikes|times as many spikes/);
      await page.getByRole('radio', { name: 'by the threshold' }).check();
      await expect.poll(() => page.url(), SLOW).toContain('threshold=0.2&reset=soft');
      await undo(page).click();
      await expectText(page, '#sentence').toBe(first);
      expect(await page.getByRole('radio', { name: 'to rest' }).isChecked()).toBe(true);
    });
  });

  it('gives every neuron its layer’s mean τ, keeps that in its address, and undoes it', async () => {
    await open(GESTURES, '#model=1', async ({ page }) => {
      const mean = page.getByRole('checkbox', { name: 'Give every neuron its layer’s mean τ' });
      await expectText(page, '.taus').toMatch(/ neurons, τ from /);
      await mean.check();
      await expectText(page, '.taus').toMatch(/All .* neurons have τ = /);
      await expectText(page, '#sentence').toMatch(/now with .* spikes/);
      await expect.poll(() => page.url(), SLOW).toContain('&taus=layer-mean');
      await undo(page).click();
      await expectText(page, '.taus').toMatch(/ neurons, τ from /);
      expect(await mean.isChecked()).toBe(false);
    });
  });

  it('shows the frames backwards, and one of them frozen', async () => {
    await open(DIGITS, '#model=0&step=7', async ({ page }) => {
      const listPictures = async () => {
        const pictures: string[] = [];
        for (let step = 1; step <= 8; step++) {
          await slider(page, 'Step').fill(String(step));
          await expect.poll(() => events(page), SLOW).toContain(`step ${step}:`);
          pictures.push(await measure(page, `document.querySelector('canvas.events').toDataURL()`));
        }
        return pictures;
      };
      const recorded = await listPictures();
      expect(new Set(recorded).size).toBe(8);
      await choice(page, 'Frames').selectOption('backwards');
      await expect.poll(listPictures, SLOW).toEqual(recorded.toReversed());
      await choice(page, 'Frames').selectOption('frozen at step 3');
      await expect.poll(listPictures, SLOW).toEqual(recorded.map(() => recorded[2]));
      await expectText(page, '#sentence').toMatch(/your changes.*; now with /);
    });
  });

  it('compares with a network beside it, which stays as trained', async () => {
    await open(DIGITS, '#model=0&step=7', async ({ page }) => {
      const before = await counts(page, 1);
      await choice(page, /^Beside/).selectOption('0');
      await expect.poll(() => counts(page, 2), SLOW).toEqual(before);
      expect(await counts(page, 1)).toEqual(before);
      await expectText(page, '#sentence').toContain(' Beside it is the same network: all spikes are equal.');
      await slider(page, 'of all neurons').fill('-2');
      await expect.poll(() => counts(page, 1), SLOW).not.toEqual(before);
      expect(await counts(page, 2)).toEqual(before);
      expect(await read(page, '#sentence')).toContain(' Beside it, Baseline, as trained: ');
      expect(await page.locator('.votes').getAttribute('aria-label')).toContain('Model beside: ');
    });
  });

  it('keeps the view in its address, for others', async () => {
    const seen = (page: Page) =>
      measure<unknown>(
        page,
        `[...document.querySelectorAll('#sentence, .counts, .inspector .name, .player output, option:checked, .slider output')].map((one) => one.textContent)`,
      );
    let address = '';
    let view: unknown;
    await open(DIGITS, '', async ({ page }) => {
      const places = await measure(page, 'history.length');
      await expect
        .poll(() => page.url(), SLOW)
        .toMatch(/#model=0&clip=test-0&step=0&order=as-is&show=spikes&neuron=\d\.\d+$/);
      await choice(page, 'Clip').selectOption({ label: '3' });
      await slider(page, 'Step').fill('4');
      await choice(page, 'Frames').selectOption('shuffled');
      await slider(page, 'of all neurons').fill('-1');
      await expect.poll(() => page.url(), SLOW).toMatch(/step=3&order=shuffled.*&tau=all\*0\.5$/);
      await expectText(page, '#sentence').toMatch(/your changes.*; now with /);
      expect(await measure(page, 'history.length')).toBe(places);
      address = new URL(page.url()).hash;
      view = await seen(page);
    });
    await open(DIGITS, address, async ({ page }) => {
      await expect.poll(() => seen(page), SLOW).toEqual(view);
    });
  });

  it('copies the link to a view, which then stands still', async () => {
    const options = { file: 'explore.html', permissions: ['clipboard-read', 'clipboard-write'] };
    await visit(DIGITS, options, async ({ page, complaints }) => {
      await expectText(page, '.play').toBe('Pause');
      // The first answer chooses a neuron, which belongs to the view.
      await page.locator('#columns').waitFor();
      await page.getByRole('button', { name: 'Copy link' }).click();
      await page.getByRole('button', { name: 'Link copied' }).waitFor();
      expect(await read(page, '.play')).toBe('Play');
      const link = await measure<string>(page, 'navigator.clipboard.readText()');
      expect(link).toContain('#model=0');
      // It follows every half second, and may be that of an earlier step.
      await expect.poll(() => page.url(), SLOW).toBe(link);
      await slider(page, 'of all neurons').fill('1');
      await page.getByRole('button', { name: 'Copy link' }).waitFor();
      expect(complaints).toEqual([]);
    });
  });

  it('says that the networks compute while an answer takes its time, and then what it is', async () => {
    await open(DIGITS, '', async ({ page }) => {
      // Holds what the page asks of its thread.
      await page.evaluate(`
        const { postMessage } = Worker.prototype;
        const held = [];
        Worker.prototype.postMessage = function (request) { held.push(() => postMessage.call(this, request)); };
        window.release = () => {
          Worker.prototype.postMessage = postMessage;
          for (const send of held) send();
        };
      `);
      const isBusy = () => page.locator('#columns').getAttribute('aria-busy');
      expect(await isBusy()).toBe('false');
      await slider(page, 'of all neurons').fill('1');
      await expectText(page, '.answer [role=status]').toBe('Computing …');
      expect(await isBusy()).toBe('true');
      await page.evaluate('window.release()');
      await expectText(page, '.answer [role=status]').toMatch(/your changes.*; now with/);
      expect(await isBusy()).toBe('false');
    });
  });

  it('asks for the file of a network that it does not hold, and says what does not fit', async () => {
    const report = fileURLToPath(inject('reports')[DIGITS]!);
    const html = await readFile(join(report, '../explore.html'), 'utf8');
    const folder = await mkdtemp(join(tmpdir(), 'explore-browser-'));
    try {
      const file = join(folder, 'explore.html');
      await writeFile(file, html.replace(/"file":\{[^}]*\}/, '"file":null'));
      await visit(DIGITS, { file: pathToFileURL(file).href }, async ({ page, complaints }) => {
        await expectText(page, '.chooser').toContain(
          'Choose its file: artifacts/train/baseline/2020/best.safetensors.',
        );
        for (const part of ['.stage', '.player']) expect(await page.locator(part).isVisible()).toBe(false);
        const input = page.locator('.chooser input');
        await input.setInputFiles(file);
        await expectText(page, '.chooser [role=alert]').toMatch(
          /^explore\.html: .*not a valid safetensors file/,
        );
        await input.setInputFiles(join(report, '../../artifacts/train/baseline/2020/best.safetensors'));
        await expectText(page, '#sentence').toMatch(/leads from step|tie at the end/);
        expect(await page.locator('.chooser').isVisible()).toBe(false);
        // Nothing played while there was nothing to see.
        expect(await read(page, '.player output')).toBe('step 1 of 8');
        expect(complaints).toEqual([]);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('for everyone, the explorable page', () => {
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

  it.each(['light', 'dark'] as const)('has no faults that axe finds, %s', async (colorScheme) => {
    const options = {
      file: 'explore.html#model=0&beside=1&show=potential',
      reducedMotion: 'reduce',
      colorScheme,
    } as const;
    await visit(GESTURES, options, async ({ page }) => {
      await expectText(page, '#sentence').not.toMatch(/^(Computing …)?$/);
      await page.evaluate(await readFile(axe, 'utf8'));
      const found = await measure<AxeResults>(page, 'axe.run()');
      expect(found.passes.length).toBeGreaterThan(25);
      expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.failureSummary}`)).toEqual([]);
    });
  });

  it('can be used with the Tab key alone, in the order of the page, with a visible focus', async () => {
    await open(DIGITS, '#model=0', async ({ page }) => {
      const order = await tabThrough(page);
      const places = order.map(({ index }) => index);
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(order.filter(({ hasOutline, isVisible }) => !hasOutline || !isVisible)).toEqual([]);
      // Two maps, and five sliders.
      expect(
        await measure(
          page,
          `document.querySelectorAll('.layer canvas, .player input, .slider input').length`,
        ),
      ).toBe(7);
      expect(order.length).toBeGreaterThan(20);
    });
  });

  it.each([400, 800, 1800])('fits a window of %d px', async (width) => {
    const options = {
      file: 'explore.html#model=0&beside=0',
      reducedMotion: 'reduce',
      viewport: { width, height: 900 },
    } as const;
    await visit(GESTURES, options, async ({ page }) => {
      await expectText(page, '#sentence').not.toMatch(/^(Computing …)?$/);
      expect(await measure(page, 'document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    });
  });
});
