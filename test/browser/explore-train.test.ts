import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { measure, useBrowser, type Visit } from './visit.ts';

const visit = useBrowser();

/** The page of a network of linear layers, in which an epoch takes milliseconds. It stands still. */
const open = (look: (visit: Visit) => Promise<void>) =>
  visit('one model on ten digits', { file: 'explore.html', reducedMotion: 'reduce' }, look);

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
/** What the page says of the network's answer, with spikes and synaptic operations. */
const answers = (page: Page) =>
  measure<string>(
    page,
    `[...document.querySelectorAll('#sentence, .counts')].map((one) => one.innerText).join()`,
  );

/** Asks again until the answer is as wanted. */
function until<T>(ask: () => Promise<T>) {
  return expect.poll(ask, { timeout: 50_000 });
}

const told = (page: Page) => until(() => page.locator('.training [role=status]').textContent());

/** The answer of the network as the run trained it. */
async function readFirst(page: Page): Promise<string> {
  await until(() => page.locator('#sentence').textContent()).not.toMatch(/^(Computing …)?$/);
  return answers(page);
}

it('training changes the network of the page, says so, and can go on and be undone', async () => {
  await open(async ({ page, complaints }) => {
    const first = await readFirst(page);
    await button(page, 'Train 5 epochs').click();
    await told(page).toMatch(/^After 5 epochs of 30 clips: \d+ of 30 test clips right, .*; mean τ/);
    await until(() => answers(page)).not.toBe(first);
    expect(await measure(page, 'document.activeElement.textContent')).toBe('Train 5 epochs');
    const accounts = () =>
      page.locator('.training svg').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    expect(await accounts()).toEqual([
      expect.stringMatching(/^Loss, over 5 epochs: [\d.]+ to [\d.]+$/),
      expect.stringMatching(/^Test clips right, of 30, over 5 epochs: \d+ to \d+$/),
      expect.stringMatching(/^τ of layer 1, change in %, over 5 epochs: 0 to −?[\d.]+$/),
      expect.stringMatching(/^τ of layer 2, change in %, over 5 epochs: 0 to −?[\d.]+$/),
    ]);

    await button(page, 'Train 5 epochs').click();
    await told(page).toMatch(/^After 10 epochs/);
    expect((await accounts())[0]).toContain('over 10 epochs');

    await button(page, 'Undo all changes').click();
    await told(page).toMatch(/^$/);
    await until(() => answers(page)).toBe(first);
    expect(await page.locator('.training svg').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});

it('when a training ends, the view is that of the trained network, on the clip and with the changes of now', async () => {
  await open(async ({ page }) => {
    await readFirst(page);
    await button(page, 'Train 5 epochs').click();
    await page.getByRole('combobox', { name: 'Clip', exact: true }).selectOption({ label: '3' });
    await page.getByRole('slider', { name: /of all neurons/ }).fill('1');
    await until(() => page.locator('.counts thead').textContent()).toContain('trained here for 5 epochs');
    await until(() => page.locator('.inspector .name').textContent()).toMatch(
      /: τ = [34]\.\d\d steps, learned [12]\.\d\d$/,
    );
    const shown = await answers(page);
    // Another view and back: the page must compute both.
    const frames = page.getByRole('combobox', { name: 'Frames' });
    await frames.selectOption('backwards');
    await until(() => answers(page)).not.toBe(shown);
    await frames.selectOption('as recorded');
    await until(() => answers(page)).toBe(shown);
  });
});

it('a stopped training leaves the network of the epochs so far', async () => {
  await open(async ({ page }) => {
    const first = await readFirst(page);
    // The page hears of no epoch after the second, so it trains until it is stopped.
    await page.evaluate(`
      const { set } = Object.getOwnPropertyDescriptor(Worker.prototype, 'onmessage');
      Object.defineProperty(Worker.prototype, 'onmessage', {
        set(listen) { set.call(this, (event) => event.data.epoch > 2 || listen(event)); },
      });
    `);
    await button(page, 'Train 5 epochs').click();
    await told(page).toMatch(/^After 2 epochs/);
    await button(page, 'Stop').click();
    await until(() => page.locator('#network option').first().textContent()).toBe(
      'Baseline, trained here for 2 epochs',
    );
    await told(page).toMatch(/^After 2 epochs/);
    await until(() => answers(page)).not.toBe(first);
    expect(await button(page, 'Train 5 epochs').isEnabled()).toBe(true);
  });
});

it('a training that fails while another network is shown is told with the one that was trained', async () => {
  const gestures = { file: 'explore.html', reducedMotion: 'reduce' } as const;
  await visit('four models on simulated gestures', gestures, async ({ page }) => {
    await readFirst(page);
    await page.evaluate(`
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (request) {
        if (request.kind !== 'train') return postMessage.call(this, request);
        const event = new ErrorEvent('error', { message: 'Error: no memory', cancelable: true });
        window.fail = () => this.dispatchEvent(event);
      };
    `);
    await button(page, 'Train 5 epochs').click();
    await page.locator('#network').selectOption({ index: 1 });
    await told(page).toMatch(/^Baseline is being trained\. /);
    await page.evaluate('window.fail()');
    await told(page).toBe('');
    await page.locator('#network').selectOption({ index: 0 });
    await told(page).toBe('Training failed: no memory');
  });
});
