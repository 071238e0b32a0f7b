import { describe, expect, test } from 'vitest';
import type { State } from '../../src/formats/tensor.ts';
import type { EngineSession } from '../../src/network/engines/engine.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { thesisNetwork } from '../support/thesis-network.ts';
import { builds, Layers, livelyState, nativeEngine, plif, randomBatch } from './support.ts';

const hyperparameters = { learningRate: 0.01, regulariseTau: 0 };
/** A step takes a second or so: long enough to be seen from outside, and to be aborted before its thread ends it. */
const large = buildNetwork({ ...thesisNetwork, input: [2, 64, 64], layers: 4 });
const batch = randomBatch(large, { samples: 4, steps: 20 });

function bytesOf(state: State): Buffer {
  return Buffer.concat(
    [...state.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  );
}

describe.each(builds)('a session of the native engine on %s', (build) => {
  async function withSession(use: (session: EngineSession) => Promise<void>, spec = large): Promise<void> {
    const session = await nativeEngine(build).open(spec, livelyState(spec));
    try {
      await use(session);
    } finally {
      session.dispose();
    }
  }

  test('leaves the event loop free, and ends an aborted step soon and without a trace', async () => {
    await withSession(async (session) => {
      const before = bytesOf(await session.state());
      await session.evaluate(batch.frames); // memory is there now
      let ticks = 0;
      let abortedMs = 0;
      const step = session.trainStep(batch, hyperparameters);
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
    });
  });

  test('can be aborted at once', async () => {
    await withSession(async (session) => {
      const before = bytesOf(await session.state());
      const step = session.trainStep(batch, hyperparameters);
      session.abort?.();
      await expect(step).rejects.toMatchObject({ name: 'StepAbortedError' });
      expect(bytesOf(await session.state()).equals(before)).toBe(true);
    });
  });

  test.each(['trainStep', 'evaluate'] as const)('lets go of %s when it is disposed of', async (what) => {
    await withSession(async (session) => {
      const pass =
        what === 'trainStep' ? session.trainStep(batch, hyperparameters) : session.evaluate(batch.frames);
      session.dispose();
      await expect(pass).rejects.toMatchObject({ name: 'StepAbortedError' });
      await expect(session.state()).rejects.toThrow('disposed');
    });
  });

  test('refuses a batch beyond the memory, naming the largest that fits', async () => {
    await withSession(async (session) => {
      const samples = 200_000;
      const data = new Uint8Array(samples * 2 * 64 * 64);
      await expect(session.evaluate({ shape: [samples, 1, 2, 64, 64], data })).rejects.toMatchObject({
        code: 'out-of-memory',
        message: expect.stringMatching(
          /needs ([\d,.]+ [GT]B of memory|more memory than can be addressed) for a batch of 200,?000/,
        ),
        fix: expect.stringMatching(/Lower the batch size .* to \d+ or less/),
      });
      // The session is still of use.
      expect((await session.evaluate(randomBatch(large, { samples: 2 }).frames)).rates.length).toBe(22);
    });
  });

  test('needs two values per channel for batch norm', async () => {
    const spec = new Layers([2, 1, 1]).conv(4).norm().neuron(plif).classify();
    await withSession(async (session) => {
      await expect(session.trainStep(randomBatch(spec, { samples: 1 }), hyperparameters)).rejects.toThrow(
        /batch norm needs 2 values per channel to train, got 1/,
      );
    }, spec);
  });
});
