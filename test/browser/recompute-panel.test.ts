import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { compile, instantiate } from 'plif-native/wasm';
import { beforeAll, expect, it } from 'vitest';
import { instanceEngine } from '../../src/network/engines/native/addon-engine.ts';
import type { Baseline } from '../../src/report/baseline/baseline.ts';
import { type Recipe, type RecomputeEvent, recompute } from '../../src/report/explorable/recompute.ts';
import { exampleBaseline } from '../report/baseline/example.ts';
import { plifWasm, readTinyRecipe } from '../report/explorable/recipe.ts';
import { measure, useBrowser, type Visit } from './visit.ts';

const visit = useBrowser();
const SLOW = { timeout: 50_000 };
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** One model and two epochs, with the digits of Node.js as the baseline. */
let baseline: Baseline;
let recipe: Recipe;
beforeAll(async () => {
  const tiny = readTinyRecipe();
  const events: RecomputeEvent[] = [];
  const engine = instanceEngine(instantiate(compile(plifWasm())));
  const tell = (event: RecomputeEvent) => void events.push(event);
  await recompute(tiny, { model: 'baseline', seed: 2020, engine, tell });
  const end = events.at(-1);
  if (end?.kind !== 'end' || end.run === null) throw new Error('the last event is not the end');
  baseline = exampleBaseline({ profile: 'quick-wasm', frames: end.frames, runs: [end.run] });
  recipe = { ...tiny, baseline };
});

/** The page, whose thread gets another recipe than that of the build. */
function open(given: Recipe, look: (visit: Visit) => Promise<void>): Promise<void> {
  return visit('one model on ten digits', { file: 'explore.html', reducedMotion: 'reduce' }, async (made) => {
    await made.page.evaluate(`
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (request) {
        if (request.kind === 'recompute') request.recipe = ${JSON.stringify(given)};
        // A training that never ends.
        if (request.kind !== 'train') postMessage.call(this, request);
      };
    `);
    await look(made);
    expect(made.complaints).toEqual([]);
  });
}

const button = (page: Page, name: string) => page.getByRole('button', { name });
const told = (page: Page) => expect.poll(() => page.locator('.recompute [role=status]').textContent(), SLOW);
const row = (page: Page, name: string) =>
  page.locator('.recompute tr', { has: page.getByRole('rowheader', { name, exact: true }) });
it('a recomputed result turns green, and another one begins with an empty table', async () => {
  await open(recipe, async ({ page }) => {
    await button(page, 'Recompute this result').click();
    await told(page).toMatch(/^Your browser got the same digits: all \d{2,} values\.$/);
    const loss = baseline.runs[0]!.trainLosses[1]!;
    expect(await row(page, '✓ loss of epoch 2').getByRole('cell').allTextContents()).toEqual([
      `${loss}`,
      `${loss}`,
    ]);
    expect(await row(page, '✓ SHA-256 of the predictions').getAttribute('class')).toBe('same');
    expect(await page.locator('.recompute .differs').count()).toBe(0);
    await page.getByRole('combobox', { name: 'Result' }).selectOption({ index: 1 });
    await expect.poll(() => page.locator('.recompute .same').count()).toBe(0);
  });
});

it('a thread that fails says why', async () => {
  const other = { ...recipe, baseline: { ...baseline, runs: [{ ...baseline.runs[0]!, seed: 1 }] } };
  await open(other, async ({ page }) => {
    await button(page, 'Recompute this result').click();
    await told(page).toContain('Recomputing failed: the baseline has no baseline with seed 2020');
    expect(await button(page, 'Recompute this result').isEnabled()).toBe(true);
  });
});

it('a value that differs turns red, with both values, and is named at the end', async () => {
  const [run] = baseline.runs;
  const { layers } = run!;
  const other = { ...layers[1]!, tauMeans: layers[1]!.tauMeans.map(() => 1.25) };
  const changed = { ...run!, trainLosses: [run!.trainLosses[0]!, 0.125], layers: [layers[0]!, other] };
  await open({ ...recipe, baseline: { ...baseline, runs: [changed] } }, async ({ page }) => {
    await button(page, 'Recompute this result').click();
    const loss = run!.trainLosses[1]!;
    await told(page).toContain(`values differ; the first is loss of epoch 2: ${loss}, committed 0.125.`);
    expect(await row(page, '✗ loss of epoch 2').getByRole('cell').allTextContents()).toEqual([
      '0.125',
      `${loss}`,
    ]);
    const differing = page.locator('.recompute .differs').getByRole('rowheader');
    expect(await differing.allTextContents()).toEqual([
      'loss of epoch 2',
      ...layers[1]!.tauMeans.map((_, layer) => `mean τ of layer ${layer}, epoch 2`),
    ]);
    await page.evaluate(await readFile(axe, 'utf8'));
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      const { violations } = await measure<AxeResults>(page, `axe.run('.recompute')`);
      expect(violations.map(({ id, nodes }) => [id, nodes[0]?.failureSummary])).toEqual([]);
    }
  });
});

it('Stop ends the thread, and neither a training nor a recomputation starts beside the other', async () => {
  await open(
    { ...recipe, profile: { ...recipe.profile, train: { ...recipe.profile.train, epochs: 1e6 } } },
    async ({ page }) => {
      const threads = page.workers().length;
      await button(page, 'Recompute this result').click();
      await expect
        .poll(() => page.locator('.recompute').textContent(), SLOW)
        .toMatch(/Training: \d+ of \d+\. About \d+ /);
      expect(await button(page, 'Train 5 epochs').isDisabled()).toBe(true);
      expect(await page.getByRole('combobox', { name: 'Result' }).isDisabled()).toBe(true);
      await button(page, 'Stop').click();
      await told(page).toBe('Stopped.');
      await expect.poll(() => page.workers().length, SLOW).toBe(threads);
      await button(page, 'Train 5 epochs').click();
      await expect.poll(() => button(page, 'Recompute this result').isDisabled()).toBe(true);
      await button(page, 'Stop').click();
      await expect.poll(() => button(page, 'Recompute this result').isEnabled()).toBe(true);
    },
  );
});

it('a page over plain http, where browsers have no SHA-256, says how to open it instead', async () => {
  await open(recipe, async ({ page }) => {
    await page.evaluate(`Object.defineProperty(window, 'isSecureContext', { value: false })`);
    await page.getByRole('combobox', { name: 'Result' }).selectOption({ index: 1 });
    const panel = page.locator('.recompute');
    await expect.poll(() => panel.textContent()).toContain('open this page as a file or over https');
    expect(await button(page, 'Recompute this result').count()).toBe(0);
  });
});
