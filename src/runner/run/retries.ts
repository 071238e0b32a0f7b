import { setTimeout as wait } from 'node:timers/promises';
import type { StageEnd } from '../../executors/executor.ts';
import type { Retries } from '../plan/plan.ts';

/** What fails ten times in a row is not helped by waiting for days. */
const backoffSecondsAtMost = 3600;

/**
 * Runs a stage's process, and again if it failed and the stage declares `retries:`, each time after a longer wait. An interruption ends
 * that wait, and is no failure.
 *
 * @param steps.onRetry before the wait for a further attempt; it is told why, in one line
 */
export async function attemptRepeatedly<Attempt extends { readonly end: StageEnd }>(
  retries: Retries | undefined,
  stop: AbortSignal,
  steps: { readonly attempt: () => Promise<Attempt>; readonly onRetry: (text: string) => Promise<void> },
): Promise<Attempt> {
  for (let count = 1; ; count += 1) {
    const attempt = await steps.attempt();
    const { end } = attempt;
    if (end.kind !== 'failed' || retries === undefined || count > retries.times) return attempt;
    // A file that it may not touch: the pipeline file has to change.
    if (end.code.startsWith('undeclared-')) return attempt;
    if (end.code === 'timeout' && !retries.afterTimeout) return attempt;
    const seconds = Math.min(retries.backoffSeconds * 2 ** (count - 1), backoffSecondsAtMost);
    const [reason] = end.text.split('\n', 1);
    await steps.onRetry(
      `attempt ${count} of ${retries.times + 1} failed: ${reason}; trying again in ${seconds} s`,
    );
    try {
      await wait(seconds * 1000, undefined, { signal: stop });
    } catch {
      return { ...attempt, end: { kind: 'interrupted' } };
    }
  }
}
