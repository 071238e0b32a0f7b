import { describe, expect, it } from 'vitest';
import { type EngineSession, type Forward, StepAbortedError } from '../../src/network/engines/engine.ts';
import type { ClipIndex } from '../../src/results/clip-index.ts';
import { evaluateClips, evaluateSplits, evaluateUntilAborted } from '../../src/training/evaluation.ts';
import { scoringOf } from '../../src/training/scores.ts';
import { fakeEngine } from './fake-engine.ts';
import { smallTask } from './small-task.ts';

/** A session whose batch with this number, from 1, never ends unless it is aborted. */
async function openEndless(endless: number, onEndless: () => void) {
  const { spec, test } = smallTask();
  const session = await fakeEngine().open(spec, new Map());
  let batches = 0;
  let abort = () => {};
  const wrapped: EngineSession & { isDisposed: boolean } = {
    ...session,
    isDisposed: false,
    evaluate: async (frames): Promise<Forward> => {
      batches += 1;
      if (batches !== endless) return session.evaluate(frames);
      return new Promise((_, reject) => {
        abort = () => reject(new StepAbortedError());
        setImmediate(onEndless);
      });
    },
    abort: () => abort(),
    dispose: () => {
      wrapped.isDisposed = true;
    },
  };
  const evaluate = (signal: AbortSignal) =>
    evaluateUntilAborted(wrapped, signal, (beforeBatch) =>
      evaluateClips(wrapped, test, Int32Array.from(test.labels.keys()), {
        scoring: scoringOf(spec),
        batchSize: 1,
        beforeBatch,
      }),
    );
  return { session: wrapped, evaluate, batches: () => batches };
}

describe('an evaluation', () => {
  it('is aborted in the middle of a batch if the engine can', async () => {
    const controller = new AbortController();
    const { session, evaluate, batches } = await openEndless(2, () => controller.abort(new Error('SIGINT')));
    await expect(evaluate(controller.signal)).rejects.toMatchObject({
      code: 'evaluation-interrupted',
      message: 'Interrupted.',
      cause: { message: 'SIGINT' },
    });
    expect(batches()).toBe(2);
    expect(session.isDisposed).toBe(true);
  });

  it('does not begin after an abort', async () => {
    const { session, evaluate, batches } = await openEndless(1, () => {});
    await expect(evaluate(AbortSignal.abort())).rejects.toMatchObject({ code: 'evaluation-interrupted' });
    expect([batches(), session.isDisposed]).toEqual([0, true]);
  });

  it('ends as usual without one, and no longer listens', async () => {
    const controller = new AbortController();
    const { session, evaluate } = await openEndless(0, () => {});
    expect((await evaluate(controller.signal)).rates.length).toBeGreaterThan(0);
    expect(session.isDisposed).toBe(true);
    session.abort = () => {
      throw new Error('not to be called');
    };
    controller.abort();
  });

  it('adds up the operations of its batches, also of a smaller last one', async () => {
    const { spec, test } = smallTask();
    const session = await fakeEngine().open(spec, new Map());
    const counting: EngineSession = {
      ...session,
      evaluate: async (frames) => ({
        ...(await session.evaluate(frames)),
        operations: [frames.shape[0], 10 * frames.shape[0]],
      }),
    };
    const options = { scoring: scoringOf(spec), batchSize: 3 };
    const rows = Int32Array.from(test.labels.keys());
    expect((await evaluateClips(counting, test, rows, options)).operations).toEqual([7, 70]);
    expect((await evaluateClips(session, test, rows, options)).operations).toBeUndefined();
  });

  it('fails with any other error as it is', async () => {
    const { session } = await openEndless(0, () => {});
    const error = new Error('broken');
    await expect(
      evaluateUntilAborted(session, new AbortController().signal, () => Promise.reject(error)),
    ).rejects.toBe(error);
    expect(session.isDisposed).toBe(true);
  });
});

describe('an evaluation of other orders', () => {
  const { spec, test, train } = smallTask();
  const [recording, user, light, trial] = ['made up', null, null, null];
  const clips = Array.from(test.labels, (label) => {
    return { recording, user, light, trial, class: label, startUs: 0, endUs: 0, events: 1 };
  });
  const frames = { steps: 2, splitBy: 'number', downsample: 1, height: 4, width: 4 } as const;
  const index: ClipIndex = {
    dataset: 'nmnist',
    simulated: false,
    classes: ['0', '1', '2'],
    sensor: { height: 4, width: 4 },
    frames: { ...frames, dtype: 'uint8', normalization: null },
    splits: { train: [], test: clips },
  };

  async function evaluateOrders(over: Partial<ClipIndex> = {}) {
    const seen: string[] = [];
    const warnings: string[] = [];
    const engine = fakeEngine({ onEvaluate: ({ data }) => seen.push(data.subarray(0, 64).join()) });
    const cache = { index: { ...index, ...over }, train: train.source, test: test.source };
    const { orders } = await evaluateSplits(
      await engine.open(spec, new Map()),
      {
        ...cache,
        rows: { train: new Int32Array(), test: test.labels.map((_, row) => row) },
        input: [2, 4, 4],
        close: async () => {},
      },
      new Int32Array(),
      {
        ...{ scoring: scoringOf(spec), batchSize: 7, orders: ['reversed'] },
        onProgress: () => {},
        warn: (text) => warnings.push(text),
      },
    );
    return { seen, warnings, orders };
  }

  it('shows the network the same clips with their frames in that order', async () => {
    const { seen, warnings, orders } = await evaluateOrders();
    const [first, second] = seen.map((data) => data.split(','));
    expect(second).toEqual([...first!.slice(32), ...first!.slice(0, 32)]);
    expect([orders.reversed?.clips, warnings]).toEqual([7, []]);
  });

  it('is left out for still images, with a warning, but not for images whose rows are steps', async () => {
    const images = { mean: [0], std: [1], augmentation: 'none' } as const;
    const { seen, warnings, orders } = await evaluateOrders({
      ...{ images, frames: { ...index.frames, steps: 1, splitBy: null } },
    });
    expect([seen.length, orders]).toEqual([1, {}]);
    expect(warnings).toEqual([expect.stringContaining('evaluate.orders has no effect')]);
    const rows = await evaluateOrders({ images, frames: { ...index.frames, splitBy: 'rows' } });
    expect([rows.orders.reversed?.clips, rows.warnings]).toEqual([7, []]);
  });
});
