import { describe, expect, it } from 'vitest';
import { type EngineSession, type Forward, StepAbortedError } from '../../src/engines/engine.ts';
import { evaluateClips, evaluateUntilAborted } from '../../src/training/evaluation.ts';
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

  it('fails with any other error as it is', async () => {
    const { session } = await openEndless(0, () => {});
    const error = new Error('broken');
    await expect(
      evaluateUntilAborted(session, new AbortController().signal, () => Promise.reject(error)),
    ).rejects.toBe(error);
    expect(session.isDisposed).toBe(true);
  });
});
