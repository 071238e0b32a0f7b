import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EngineSession, StepAbortedError } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';

/**
 * Evaluates with a session, and disposes of it. An abort of `signal` ends the evaluation before its next batch, or in the middle of one
 * if the engine can.
 *
 * @param evaluate given what to call before each batch
 * @throws {ReproError} `evaluation-interrupted`
 */
export async function evaluateUntilAborted<T>(
  session: EngineSession,
  signal: AbortSignal,
  evaluate: (beforeBatch: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const abort = (): void => session.abort?.();
  signal.addEventListener('abort', abort);
  try {
    return await evaluate(async () => {
      await nextTurn(); // lets an abort arrive
      if (signal.aborted) throw interrupted(signal.reason);
    });
  } catch (error) {
    throw error instanceof StepAbortedError ? interrupted(signal.reason ?? error) : error;
  } finally {
    signal.removeEventListener('abort', abort);
    session.dispose();
  }
}

function interrupted(cause: unknown): ReproError {
  return new ReproError('evaluation-interrupted', 'Interrupted.', { cause });
}
