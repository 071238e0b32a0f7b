import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { measure, useBrowser, type Visit } from './visit.ts';

const visit = useBrowser();

/** The page of a network of linear layers, in which a step takes milliseconds. It stands still. */
const open = (look: (visit: Visit) => Promise<void>) =>
  visit('one model on ten digits', { file: 'explore.html', reducedMotion: 'reduce' }, look);

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
/** What the page says of the network's answer, with spikes and synaptic operations. */
const answers = (page: Page) =>
  measure<string>(
    page,
    `[...document.querySelectorAll('.sentence, .counts')].map((one) => one.innerText).join()`,
  );

/** Asks again until the answer is as wanted. */
function until<T>(ask: () => Promise<T>) {
  return expect.poll(ask, { timeout: 50_000 });
}

const told = (page: Page) => until(() => page.locator('.training [role=status]').textContent());

/** The answer of the network as the run trained it. */
async function readFirst(page: Page): Promise<string> {
  await until(() => page.locator('.sentence').textContent()).not.toBe('');
  return answers(page);
}

it('training changes the network of the page, says so, and can go on and be undone', async () => {
  await open(async ({ page, complaints }) => {
    const first = await readFirst(page);
    expect(await button(page, 'Stop').isDisabled()).toBe(true);
    await button(page, 'Train 20 steps').click();
    await told(page).toMatch(/^After 20 steps on 30 clips: \d+ of 30 test clips right, .*; mean τ/);
    await until(() => answers(page)).not.toBe(first);
    expect(await measure(page, 'document.activeElement.textContent')).toBe('Train 20 steps');
    const accounts = () =>
      page.locator('.training svg').evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')));
    expect(await accounts()).toEqual([
      expect.stringMatching(/^Loss of a batch, over 20 steps: [\d.]+ to [\d.]+$/),
      expect.stringMatching(/^Test clips right, of 30, over 20 steps: \d+ to \d+$/),
      expect.stringMatching(
        /^Change of mean τ in each layer, in %, over 20 steps: 1: 0 to −?[\d.]+; 2: 0 to −?[\d.]+$/,
      ),
    ]);

    await button(page, 'Train 20 steps').click();
    await told(page).toMatch(/^After 40 steps/);
    expect((await accounts())[0]).toContain('over 40 steps');

    await button(page, 'Undo all changes').click();
    await told(page).toMatch(/^$/);
    await until(() => answers(page)).toBe(first);
    expect(await page.locator('.training svg').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});

it('a stopped training leaves the network of the steps so far; meanwhile, nobody changes it', async () => {
  await open(async ({ page }) => {
    const first = await readFirst(page);
    // Stop is pressed long before the first step ends: the engine has yet to be compiled.
    const locked = await measure<boolean>(
      page,
      `(async () => {
        const [train, stop] = document.querySelectorAll('.training button');
        train.click();
        for (let i = 0; i < 2; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
        const all = [...document.querySelectorAll('#network, .editing input, .answer button, .introduction button')];
        const locked = all.every((one) => one.matches(':disabled'));
        stop.click();
        return locked;
      })()`,
    );
    expect(locked).toBe(true);
    await told(page).toMatch(/^After \d steps? on/);
    await until(() => answers(page)).not.toBe(first);
    expect(await button(page, 'Train 20 steps').isEnabled()).toBe(true);
    expect(await page.locator('#network option').first().textContent()).toMatch(
      /^Baseline, trained here for \d steps?$/,
    );
    expect(await page.locator('#network').isEnabled()).toBe(true);
  });
});

it('training starts from a changed τ, which is then part of the network', async () => {
  await open(async ({ page }) => {
    await readFirst(page);
    const all = page.getByRole('slider', { name: /of all neurons/ });
    await all.fill('1');
    await until(() => all.getAttribute('aria-valuetext')).toBe('× 2');
    await button(page, 'Train 20 steps').click();
    // τ was 2 steps in all layers.
    await told(page).toMatch(/mean τ moved most in layer \d: [34]\.\d+ steps, was 4\.000/);
    await until(() => all.getAttribute('aria-valuetext')).toBe('× 1');
  });
});

it('the way back after a training brings back the view, but no changes of a network that is no longer there', async () => {
  await open(async ({ page }) => {
    await readFirst(page);
    const all = page.getByRole('slider', { name: /of all neurons/ });
    const factor = () => all.getAttribute('aria-valuetext');
    const frames = page.getByRole('combobox', { name: 'Frames' });
    await frames.selectOption('backwards');
    await all.fill('1');
    await until(async () => page.url()).toContain('order=reversed&show=spikes');
    await until(async () => page.url()).toContain('tau=all*2');
    await frames.selectOption('as recorded');
    await until(async () => page.url()).not.toContain('order=');
    await button(page, 'Train 20 steps').click();
    await told(page).toMatch(/^After 20 steps/);
    await until(factor).toBe('× 1');
    await until(async () => page.url()).not.toContain('tau=');
    await page.goBack();
    await until(() => frames.locator(':checked').textContent()).toBe('backwards');
    expect(await factor()).toBe('× 1');
  });
});
