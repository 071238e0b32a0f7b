import { compile, instantiate } from 'plif-native/wasm';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { instanceEngine } from '../../../src/network/engines/native/addon-engine.ts';
import type { RunFacts } from '../../../src/report/baseline/baseline.ts';
import { listResult } from '../../../src/report/baseline/digits.ts';
import { type Recipe, type RecomputeEvent, recompute } from '../../../src/report/explorable/recompute.ts';
import { exampleBaseline } from '../baseline/example.ts';
import { plifWasm, readTinyRecipe } from './recipe.ts';

/** Changes a recording of the simulation. */
const tamper = vi.hoisted(() => ({ with: null as null | ((name: string, aedat: Uint8Array) => void) }));
vi.mock('../../../src/data/simulated/dataset.ts', async (load) => {
  const real = await load<typeof import('../../../src/data/simulated/dataset.ts')>();
  return {
    ...real,
    simulateFiles: (...given: Parameters<typeof real.simulateFiles>) => {
      const files = real.simulateFiles(...given);
      tamper.with?.(given[1].name, files.aedat);
      return files;
    },
  };
});

const unknown = readTinyRecipe();

async function follow(recipe: Recipe, { wasm = plifWasm(), seed = 2020 } = {}) {
  const events: RecomputeEvent[] = [];
  const engine = instanceEngine(instantiate(compile(wasm)));
  const tell = (event: RecomputeEvent) => void events.push(event);
  await recompute(recipe, { model: 'baseline', seed, engine, tell });
  const end = events.at(-1);
  if (end?.kind !== 'end') throw new Error('the last event is not the end');
  const [first] = end.values.filter(({ value, expected }) => value !== expected);
  return { events, end, first: first?.name };
}

const changeTest = (run: RunFacts, change: Partial<RunFacts['test']>): RunFacts => {
  return { ...run, test: { ...run.test, ...change } };
};

/** With its own results as the baseline. */
let recipe: Recipe;
beforeAll(async () => {
  const { end } = await follow(unknown);
  recipe = { ...unknown, baseline: exampleBaseline({ frames: end.frames, runs: [end.run!] }) };
});

describe('a result that is recomputed', () => {
  test('is compared with the baseline value by value, as it arises', async () => {
    const { events, end, first } = await follow(recipe);
    expect(first).toBeUndefined();
    const compared = events.flatMap((event) => (event.kind === 'compared' ? [event] : []));
    expect(compared.map(({ part }) => part)).toEqual(['frames', 'epoch 1', 'epoch 2', 'result']);
    expect(compared.flatMap(({ values }) => values)).toEqual(end.values);
    const names = end.values.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of [
      'SHA-256 of train.npy',
      'loss of epoch 2',
      'validation accuracy of epoch 1',
      'chosen epoch',
    ])
      expect(names).toContain(name);
    expect(names.slice(-2)).toEqual(['SHA-256 of the predictions', 'epochs']);
    const phases = events.flatMap((event) => (event.kind === 'progress' ? [event.phase] : []));
    const last = events.findLast((event) => event.kind === 'progress' && event.phase === 'frames');
    expect(last).toMatchObject({ done: 3, total: 3 });
    expect([...new Set(phases)]).toEqual(['simulation', 'frames', 'training', 'evaluation']);
  });

  test('names the first value that another rate of Adam’s second moments changes', async () => {
    const wasm = Buffer.from(plifWasm());
    const rate = Buffer.alloc(8);
    rate.writeDoubleLE(0.999);
    const at = wasm.indexOf(rate);
    expect(at).toBeGreaterThan(0);
    wasm.writeDoubleLE(0.998, at);
    // The first batch is computed before Adam's first step.
    expect((await follow(recipe, { wasm })).first).toMatch(/batch 2$/);
  });

  test('differs where the training diverges, because Adam divides by zero', async () => {
    const wasm = Buffer.from(plifWasm());
    const epsilon = Buffer.alloc(4);
    epsilon.writeFloatLE(1e-8);
    const at = wasm.indexOf(epsilon);
    expect(wasm.lastIndexOf(epsilon)).toBe(at);
    wasm.writeFloatLE(0, at);
    const { end, first } = await follow(recipe, { wasm });
    expect(first).toBe('spike rate of layer 0, batch 1');
    const lost = end.values.filter(({ value, expected }) => value !== expected);
    expect(lost[0]?.value).toMatch(/^diverged: "conv\.0\.weight" has NaN/);
    // Nor was anything after it computed.
    expect(new Set(lost.slice(1).map(({ value }) => value))).toEqual(new Set(['missing']));
    expect(end.values).toHaveLength(listResult(recipe.baseline.frames, recipe.baseline.runs[0]!).length);
    expect(end.run).toBeNull();
  });

  test('names the frames if ten events of one clip are 64 rows off', async () => {
    tamper.with = (name, aedat) => {
      if (name !== 'user02_led') return;
      // The first packet of 4096 events ends before the first clip begins.
      const second = Buffer.from(aedat).indexOf('#!END-HEADER') + 14 + 28 + 8 * 4096 + 28;
      for (let event = 1000; event < 1010; event++) aedat[second + 8 * event + 1]! ^= 1;
    };
    const { end, first } = await follow(recipe);
    tamper.with = null;
    expect(first).toBe('SHA-256 of train.npy');
    expect(end.frames.test).toEqual(recipe.baseline.frames.test);
  });

  test('names the first batch if the weights are drawn with another seed', async () => {
    const run = { ...recipe.baseline.runs[0]!, seed: 1 };
    const { first } = await follow({ ...recipe, baseline: { ...recipe.baseline, runs: [run] } }, { seed: 1 });
    expect(first).toBe('spike rate of layer 0, batch 1');
  });

  test('names the frames if they are simulated with another seed', async () => {
    const simulate = { ...recipe.profile.simulate, seed: 2 };
    const { first } = await follow({ ...recipe, profile: { ...recipe.profile, simulate } });
    expect(first).toBe('off events of train.npy');
  });

  test.each<[string, unknown, string, (run: RunFacts) => RunFacts]>([
    [
      'right with frames reversed',
      'missing',
      'a test',
      (run) => changeTest(run, { correctByOrder: { reversed: 3 } }),
    ],
    ['cost: naps', 'missing', 'a cost', (run) => changeTest(run, { cost: { ...run.test.cost, naps: 1 } })],
    [
      'spike rate of layer 3, batch 1',
      'missing',
      'a spike rate',
      ({ firstBatches: [first, ...others], ...run }) => {
        return { ...run, firstBatches: [{ ...first!, spikeRates: [...first!.spikeRates, 0.1] }, ...others] };
      },
    ],
    ['loss of epoch 3', 'missing', 'an epoch', (run) => ({ ...run, trainLosses: [...run.trainLosses, 0.1] })],
    ['epochs', 2, 'the number of epochs', (run) => ({ ...run, epochs: 8 })],
  ])('differs in %s, which is %s, if the baseline has another one of %s', async (name, value, _, change) => {
    const runs = recipe.baseline.runs.map(change);
    const { end, first } = await follow({ ...recipe, baseline: { ...recipe.baseline, runs } });
    expect(first).toBe(name);
    expect(end.values.find((one) => one.name === name)?.value).toBe(value);
  });

  test('differs in values that the baseline lacks', async () => {
    const runs = recipe.baseline.runs.map((run) => {
      return { ...run, accuracies: { ...run.accuracies!, validation: [null, null] } };
    });
    const { end } = await follow({ ...recipe, baseline: { ...recipe.baseline, runs } });
    const differing = end.values.filter(({ value, expected }) => value !== expected);
    expect(differing.map(({ name, expected }) => [name, expected])).toEqual([
      ['validation accuracy of epoch 1', 'missing'],
      ['validation accuracy of epoch 2', 'missing'],
    ]);
  });

  test('is refused for a model that the baseline does not have', async () => {
    await expect(follow(recipe, { seed: 7 })).rejects.toMatchObject({ code: 'recompute-unknown' });
  });
});
