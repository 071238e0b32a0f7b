import { compile, instantiate } from 'plif-native/wasm';
import { expect, it } from 'vitest';
import { instanceEngine } from '../../src/network/engines/native/addon-engine.ts';
import { listDiffering } from '../../src/report/baseline/digits.ts';
import { type RecomputeEvent, recompute } from '../../src/report/explorable/recompute.ts';
import { plifWasm, readShortRecipe } from '../report/explorable/recipe.ts';
import { useBrowser } from './visit.ts';

const visit = useBrowser();

/** Runs in a thread of the page: asks it, and collects its answers. */
const inThread = `(request) => new Promise((resolve, reject) => {
  const events = [];
  self.postMessage = (event) => {
    events.push(event);
    if (event.kind === 'end') resolve(events);
  };
  self.addEventListener('error', ({ message }) => reject(new Error(message)));
  self.dispatchEvent(new MessageEvent('message', { data: request }));
})`;

it('a thread of the page recomputes one model and two epochs with the digits of Node.js, which are those of the baseline', async () => {
  const recipe = readShortRecipe();
  const of = { model: 'baseline', seed: 2020 };
  let found: RecomputeEvent[] = [];
  await visit(
    'one model on ten digits',
    { file: 'explore.html', reducedMotion: 'reduce' },
    async ({ page }) => {
      await expect.poll(() => page.workers().length).toBeGreaterThan(0);
      const request = JSON.stringify({ kind: 'recompute', recipe, ...of });
      found = await page.workers()[0]!.evaluate<RecomputeEvent[]>(`(${inThread})(${request})`);
    },
  );
  const events: RecomputeEvent[] = [];
  const engine = instanceEngine(instantiate(compile(plifWasm())));
  await recompute(recipe, { ...of, engine, tell: (event) => void events.push(event) });
  expect(found).toEqual(events);
  // At the end, the committed run has six more epochs.
  const values = found.flatMap((event) =>
    event.kind === 'compared' && event.part !== 'result' ? event.values : [],
  );
  expect(values.length).toBeGreaterThan(60);
  expect(listDiffering(values)).toEqual([]);
}, 600_000);
