import { describeError } from '../../errors.ts';
import type { Slurm } from '../../executors/slurm/slurm.ts';
import { jobOf, type PlacedJob } from '../jobs/batch.ts';
import type { SharedRun } from '../run/other-machines.ts';
import type { InstanceResult } from '../run/scheduler.ts';

type Jobs = ReadonlyMap<string, PlacedJob>;

/** Cancels jobs of a run that are no longer needed. */
export class UnneededJobs {
  readonly #run: SharedRun;
  readonly #slurm: Slurm;
  readonly #ended = new Set<string>();

  constructor(run: SharedRun, slurm: Slurm) {
    this.#run = run;
    this.#slurm = slurm;
  }

  /** Whether the job of an instance may have been cancelled because another one failed. */
  has(id: string): boolean {
    return this.#ended.has(id);
  }

  /** Cancels waiting jobs after a failure; running jobs continue. */
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
   * Cancels unfinished jobs at the end of a run.
   *
   * @returns whether no job is left; otherwise the next command deals with it
   * @throws {ReproError} `lock-lost`: the jobs belong to another run now
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
    this.#run.assertLocked();
    const names = jobs.flatMap(([, { submitted, index }]) => jobOf(submitted.batch, index) ?? []);
    const answer = await this.#slurm.cancel(names, options);
    if (answer.kind !== 'ok') this.#warn(jobs, `${problem}: ${answer.text}`);
    return answer.kind === 'ok';
  }

  #warn([first]: readonly (readonly [string, PlacedJob])[], text: string): void {
    this.#run.onEvent({ kind: 'note', id: first?.[0] ?? '', level: 'warning', text });
  }
}
