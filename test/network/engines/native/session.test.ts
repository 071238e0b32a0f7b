import { describe, expect, it } from 'vitest';
import { type EngineSession, StepAbortedError } from '../../../../src/network/engines/engine.ts';
import { createNativeEngine } from '../../../../src/network/engines/native/engine.ts';
import { initialState } from '../../../../src/network/initialise.ts';
import { buildNetwork } from '../../../../src/network/networks.ts';
import { randomBatch } from '../../../native/support.ts';
import { smallNetwork } from '../../../training/small-task.ts';
import { FakeAddon, type FakeAddonOptions } from './fake-addon.ts';

// Tests that need a network that computes are in ../session.test.ts and in test/native.

const spec = buildNetwork(smallNetwork);
const state = initialState(spec, 1);
const batchOf = (samples: number) => randomBatch(spec, { samples, steps: 2 });
const hyperparameters = { learningRate: 0.01, regulariseTau: 0.1 };

function openOn(addon: FakeAddon, availableBytes = 1e9, of = state): Promise<EngineSession> {
  const available = () => availableBytes;
  return createNativeEngine(addon, { threads: 1, environment: {}, available }).open(spec, of);
}

describe('the native engine', () => {
  it('disposes of a network whose state does not fit', async () => {
    const addon = new FakeAddon();
    const broken = new Map([...state].slice(1));
    await expect(openOn(addon, 1e9, broken)).rejects.toThrow('state: expected a tensor');
    expect(addon.networks[0]?.isDisposed).toBe(true);
  });

  it('refuses a network whose parameters do not fit, without opening it', async () => {
    const addon = new FakeAddon();
    await expect(openOn(addon, 1000)).rejects.toMatchObject({
      code: 'out-of-memory',
      message: expect.stringMatching(
        /^This network's parameters, with gradients and Adam's moments, need \d/,
      ),
    });
    expect(addon.opened).toEqual([]);
  });

  it('rejects a step that ended although the session was disposed of, as its result is gone', async () => {
    const session: EngineSession = await openOn(new FakeAddon({ onPass: () => session.dispose() }));
    const step = session.trainStep(batchOf(2), hyperparameters, { keepGradients: true });
    await expect(step).rejects.toThrow(StepAbortedError);
  });
});

describe('the memory of a native session', () => {
  const openWith = (availableBytes: number, options: FakeAddonOptions = {}) =>
    openOn(new FakeAddon({ bytesFor: (samples) => samples * 1e9, ...options }), availableBytes);
  const uncountable = () => {
    throw Object.assign(new Error('out of memory'), { code: 'PLIF_OUT_OF_MEMORY' });
  };

  it.each<[string, number, number, FakeAddonOptions, object]>([
    [
      'is checked before the batch is computed; the error names the largest batch that fits',
      ...([8, 3.5e9, {}] as const),
      {
        message: 'This network needs 8.0 GB of memory for a batch of 8; 3.5 GB are available.',
        fix: 'Lower the batch size (`train.batchSize`, `evaluate.batchSize`) to 3 or less.',
      },
    ],
    [
      'may not be enough for one sample',
      ...([2, 0.5e9, {}] as const),
      { fix: 'Use a smaller network, or a machine with more memory.' },
    ],
    [
      'is also explained if the system refuses it in spite of the check',
      ...([8, 100e9, { capacityBytes: 1e9 }] as const),
      {
        message: expect.stringMatching(/needs 8\.0 GB of memory for a batch of 8; /),
        fix: expect.stringMatching(/ to 4 or less\.$/),
      },
    ],
    [
      'may be more than can be counted',
      ...([8, 1e9, { bytesFor: uncountable }] as const),
      {
        message: expect.stringContaining(
          'needs more memory than can be addressed for a batch of 8; 1.0 GB are available.',
        ),
      },
    ],
  ])('%s', async (_, samples, availableBytes, options, error) => {
    const session = await openWith(availableBytes, options);
    const refusal = { code: 'out-of-memory', ...error };
    await expect(session.trainStep(batchOf(samples), hyperparameters)).rejects.toMatchObject(refusal);
    await expect(session.evaluate(batchOf(samples).frames)).rejects.toMatchObject(refusal);
  });

  it('counts what is reserved as available, as it would be given up for more', async () => {
    const session = await openWith(3.5e9);
    await session.trainStep(batchOf(3), hyperparameters);
    await session.trainStep(batchOf(6), hyperparameters);
    await expect(session.evaluate(batchOf(10).frames)).rejects.toMatchObject({
      fix: expect.stringMatching(/ to 9 or less\.$/),
    });
  });

  it('is gone once the system refuses more, with what was reserved before', async () => {
    const session = await openWith(5.5e9, { capacityBytes: 4e9 });
    await session.trainStep(batchOf(3), hyperparameters);
    // 5.5 and 3 GB are enough; then the system refuses.
    await expect(session.trainStep(batchOf(8), hyperparameters)).rejects.toMatchObject({
      message: expect.stringMatching(/; 8\.5 GB are available\.$/),
      fix: expect.stringMatching(/ to 4 or less\.$/),
    });
    await expect(session.trainStep(batchOf(6), hyperparameters)).rejects.toMatchObject({
      message: expect.stringMatching(/; 5\.5 GB are available\.$/),
      fix: expect.stringMatching(/ to 5 or less\.$/),
    });
  });
});
