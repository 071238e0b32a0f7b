import { describeError } from '../../errors.ts';
import type { Slurm } from '../../executors/slurm/slurm.ts';
import { jobOf, type PlacedJob } from '../jobs/batch.ts';
import type { SharedRun } from '../run/other-machines.ts';
import type { InstanceResult } from '../run/scheduler.ts';

type Jobs = ReadonlyMap<string, PlacedJob>;

/** Cancels jobs of a run that nothing needs any more. */
export class UnneededJobs {
  readonly #surroundings: SharedRun;
  readonly #slurm: Slurm;
  readonly #ended = new Set<string>();

  constructor(surroundings: SharedRun, slurm: Slurm) {
    this.#surroundings = surroundings;
    this.#slurm = slurm;
  }

  /** Whether the job of an instance may have been cancelled because another one failed. */
  has(id: string): boolean {
    return this.#ended.has(id);
  }

  /** After a failure nothing more starts; what runs goes on. */
  async cancelWaiting(jobs: Jobs): Promise<void> {
    for (const id of jobs.keys()) this.#ended.add(id);
    const problem = 'waiting jobs could not be cancelled and may still start';
    try {
      await this.#cancel([...jobs], problem, { onlyWaiting: true });
    } catch (error) {
      this.#warn([...jobs], `${problem}: ${describeError(error)}`);
    }
  }

  /**
   * At the end of a run.
   *
   * @returns whether nothing goes on; otherwise the next command looks after it
   * @throws {ReproError} `lock-lost`: another run waits for them
   */
  cancelUnfinished(jobs: Jobs, results: ReadonlyMap<string, InstanceResult>): Promise<boolean> {
    const unfinished = [...jobs].filter(([id]) => !['done', 'hit'].includes(results.get(id) ?? ''));
    return this.#cancel(unfinished, 'jobs that are no longer needed could not be cancelled');
  }

  async #cancel(
    jobs: readonly (readonly [string, PlacedJob])[],
    problem: string,
    options: { readonly onlyWaiting?: boolean } = {},
  ): Promise<boolean> {
    this.#surroundings.assertLocked();
    const names = jobs.flatMap(([, { submitted, index }]) => jobOf(submitted.batch, index) ?? []);
    const answer = await this.#slurm.cancel(names, options);
    if (answer.kind !== 'ok') this.#warn(jobs, `${problem}: ${answer.text}`);
    return answer.kind === 'ok';
  }

  #warn([first]: readonly (readonly [string, PlacedJob])[], text: string): void {
    this.#surroundings.onEvent({ kind: 'note', id: first?.[0] ?? '', level: 'warning', text });
  }
}
