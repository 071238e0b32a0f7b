import { describe, expect, test } from 'vitest';
import type { EngineSession } from '../../src/engines/engine.ts';
import { EngineMemoryError } from '../../src/engines/memory-error.ts';
import { buildNetwork } from '../../src/snn/networks.ts';
import type { State } from '../../src/snn/tensor.ts';
import { thesisNetwork } from '../support/thesis-network.ts';
import { isAvailable, Layers, livelyState, nativeEngine, plif, randomBatch } from './support.ts';

const hyperparameters = { learningRate: 0.01, regulariseTau: 0.1 };
const small = buildNetwork({
  ...thesisNetwork,
  input: [2, 19, 22],
  channels: 20,
  layers: 2,
  tau: { per: 'neuron', mean: 2, std: 0.2 },
  hidden: 30,
});
/** A step takes a second or so: long enough to be seen from outside. */
const large = buildNetwork({ ...thesisNetwork, input: [2, 64, 64], layers: 4 });

function bytesOf(state: State): Buffer {
  return Buffer.concat(
    [...state.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  );
}

async function withSession(use: (session: EngineSession) => Promise<void>, spec = small): Promise<void> {
  const session = await nativeEngine().open(spec, livelyState(spec));
  try {
    await use(session);
  } finally {
    session.dispose();
  }
}

describe.skipIf(!isAvailable)('a session of the native engine', () => {
  test('trains on with the same bits after an evaluation with another batch size', async () => {
    const results: Buffer[] = [];
    for (const evaluates of [false, true]) {
      await withSession(async (session) => {
        for (let i = 0; i < 3; i++) {
          await session.trainStep(randomBatch(small, { seed: i }), hyperparameters);
          if (!evaluates) continue;
          await session.evaluate(randomBatch(small, { samples: 7, seed: i }).frames);
          await session.evaluate(randomBatch(small, { samples: 1, steps: 9, seed: i }).frames);
        }
        results.push(bytesOf(await session.state()));
      });
    }
    expect(results[1]?.equals(results[0] as Buffer)).toBe(true);
  });

  test('evaluates the same clip the same way in any batch', async () => {
    await withSession(async (session) => {
      await session.trainStep(randomBatch(small), hyperparameters);
      const { frames } = randomBatch(small, { samples: 5, seed: 3 });
      const { rates } = await session.evaluate(frames);
      const size = frames.data.length / 5;
      for (let i = 0; i < 5; i++) {
        const [, ...rest] = frames.shape;
        const alone = await session.evaluate({
          shape: [1, ...rest],
          data: frames.data.slice(i * size, (i + 1) * size),
        });
        const classes = small.classes;
        expect([...alone.rates]).toEqual([...rates.subarray(i * classes, (i + 1) * classes)]);
      }
    });
  });

  test('goes on with the same bits from a saved state and optimiser', async () => {
    await withSession(async (session) => {
      await session.trainStep(randomBatch(small, { seed: 1 }), hyperparameters);
      const copy = await nativeEngine().open(small, await session.state(), await session.optimiserState());
      try {
        for (const one of [session, copy]) {
          await one.trainStep(randomBatch(small, { seed: 2 }), hyperparameters);
        }
        expect(bytesOf(await copy.state()).equals(bytesOf(await session.state()))).toBe(true);
        const [wanted, actual] = [await session.optimiserState(), await copy.optimiserState()];
        expect(actual.step).toBe(2);
        expect(bytesOf(actual.first).equals(bytesOf(wanted.first))).toBe(true);
        expect(bytesOf(actual.second).equals(bytesOf(wanted.second))).toBe(true);
      } finally {
        copy.dispose();
      }
    });
  });

  test('leaves the event loop free, and ends an aborted step soon and without a trace', async () => {
    await withSession(async (session) => {
      const before = bytesOf(await session.state());
      const batch = randomBatch(large, { samples: 4, steps: 20 });
      await session.evaluate(batch.frames); // memory is there now
      let ticks = 0;
      let abortedMs = 0;
      const step = session.trainStep(batch, { ...hyperparameters, regulariseTau: 0 });
      const timer = setInterval(() => {
        ticks++;
        if (ticks < 3) return;
        clearInterval(timer);
        abortedMs = performance.now();
        session.abort?.();
      }, 10);
      await expect(step).rejects.toMatchObject({ name: 'StepAbortedError' });
      clearInterval(timer);
      expect(ticks).toBe(3);
      expect(performance.now() - abortedMs).toBeLessThan(1000);
      expect(bytesOf(await session.state()).equals(before)).toBe(true);
    }, large);
  });

  test('can be aborted at once', async () => {
    await withSession(async (session) => {
      const before = bytesOf(await session.state());
      // Large, as its thread may begin, and end a small step, before this one goes on.
      const batch = randomBatch(large, { samples: 4, steps: 20 });
      const step = session.trainStep(batch, { ...hyperparameters, regulariseTau: 0 });
      session.abort?.();
      await expect(step).rejects.toMatchObject({ name: 'StepAbortedError' });
      expect(bytesOf(await session.state()).equals(before)).toBe(true);
    }, large);
  });

  test.each(['trainStep', 'evaluate'] as const)('lets go of %s when it is disposed of', async (what) => {
    await withSession(async (session) => {
      const batch = randomBatch(large, { samples: 4, steps: 20 });
      const pass =
        what === 'trainStep'
          ? session.trainStep(batch, { ...hyperparameters, regulariseTau: 0 })
          : session.evaluate(batch.frames);
      const startedMs = performance.now();
      session.dispose();
      expect(performance.now() - startedMs).toBeLessThan(200);
      await expect(pass).rejects.toMatchObject({ name: 'StepAbortedError' });
      await expect(session.state()).rejects.toThrow('disposed');
    }, large);
  });

  test('refuses a batch beyond the memory, naming the largest that fits', async () => {
    await withSession(async (session) => {
      const samples = 200_000;
      const data = new Uint8Array(samples * 2 * 64 * 64);
      const error = await session
        .evaluate({ shape: [samples, 1, 2, 64, 64], data })
        .then(() => undefined)
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EngineMemoryError);
      expect(String(error)).toMatch(/needs [\d,.]+ [GT]B of memory for a batch of 200,?000/);
      expect((error as EngineMemoryError).fix).toMatch(/Lower the batch size .* to \d+ or less/);
      // The session is still of use.
      expect((await session.evaluate(randomBatch(large, { samples: 2 }).frames)).rates.length).toBe(22);
    }, large);
  });

  test('needs two values per channel for batch norm', async () => {
    const spec = new Layers([2, 1, 1]).conv(4).norm().neuron(plif).classify();
    await withSession(async (session) => {
      await expect(
        session.trainStep(randomBatch(spec, { samples: 1 }), { learningRate: 0.01, regulariseTau: 0 }),
      ).rejects.toThrow(/batch norm needs 2 values per channel to train, got 1/);
    }, spec);
  });
});
