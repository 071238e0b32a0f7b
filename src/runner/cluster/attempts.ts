import { setTimeout as wait } from 'node:timers/promises';
import { unreachable } from '../../executors/slurm/slurm.ts';

/** Waits before the first repetitions. */
const firstAfterMs = [2_000, 5_000, 10_000];

/** Of a run that goes on while Slurm does not answer, or takes no more jobs. */
export interface Patience {
  /** How often it asks at least. */
  readonly pollSeconds: number;
  /** Aborting ends the waiting. */
  readonly signal: AbortSignal;
  /** Called once, if it takes longer. */
  readonly onPause: (why: string) => void;
}

/** Repeats questions to Slurm about one matter. */
export class Attempts {
  readonly #patience: Patience | null;
  #count = 0;
  #isTold = false;

  /** @param patience null: after a few repetitions that is an error */
  constructor(patience: Patience | null) {
    this.#patience = patience;
  }

  /**
   * Waits before the next attempt.
   *
   * @param problem what Slurm has said to the last one
   * @returns whether there is to be one: not once the run ends
   * @throws {ReproError} `slurm-unreachable` without patience
   */
  async pause(problem: string): Promise<boolean> {
    const afterMs = firstAfterMs[this.#count];
    this.#count += 1;
    if (this.#patience === null) {
      if (afterMs === undefined) throw unreachable(problem);
      await wait(afterMs);
      return true;
    }
    const { pollSeconds, signal } = this.#patience;
    if (afterMs === undefined) {
      const [said] = problem.split('\n', 1);
      this.#tell(
        `Slurm does not answer (${said}): it is not known whether this is submitted, and it is asked again every ${pollSeconds} s`,
      );
    }
    await wait(Math.min(afterMs ?? Number.POSITIVE_INFINITY, pollSeconds * 1000), undefined, {
      signal,
    }).catch(() => {});
    return !signal.aborted;
  }

  /**
   * Waits before the next attempt where Slurm takes no more jobs of this user.
   *
   * @returns whether there is to be one: not without patience, and not once the run ends
   */
  async pauseAtLimit(): Promise<boolean> {
    if (this.#patience === null) return false;
    const { pollSeconds, signal } = this.#patience;
    this.#tell(
      `waits, since you have as many jobs as you may submit; it is tried again every ${pollSeconds} s. ` +
        'An array that is larger than the limit itself is never taken: then lower `arraySize` in configs/executors/slurm.yaml',
    );
    await wait(pollSeconds * 1000, undefined, { signal }).catch(() => {});
    return !signal.aborted;
  }

  #tell(why: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#patience?.onPause(why);
  }
}
