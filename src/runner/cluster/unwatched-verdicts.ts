import { type Evidence, judge, type Verdict } from './verdict.ts';

/** A job as it is found on disk, with what Slurm says about it now. */
export interface UnwatchedJob extends Pick<Evidence, 'job' | 'end' | 'status'> {
  /** Where it says how it ended. */
  readonly endFile: string;
  /** Where the jobs that it waits for say that. */
  readonly after: readonly string[];
}

/** Judges jobs that nobody has followed, each after those that it waits for. */
export class UnwatchedVerdicts {
  readonly #verdicts = new Map<string, Verdict>();

  /** A result need not be visible here yet: whoever follows the job waits for that. */
  judge({ job, end, status, endFile, after }: UnwatchedJob): Verdict {
    const before = after.some((file) => isBad(this.#verdicts.get(file))) ? 'failed' : 'fine';
    const found = judge({ job, end, status, before, silentSeconds: 0, patienceSeconds: 0 });
    const verdict: Verdict = found.kind === 'failed' && found.code === 'no-result' ? { kind: 'wait' } : found;
    this.#verdicts.set(endFile, verdict);
    return verdict;
  }

  /** Where those would say how they ended that have ended. */
  listEnded(): Set<string> {
    return new Set([...this.#verdicts].filter(([, { kind }]) => kind !== 'wait').map(([file]) => file));
  }
}

function isBad(verdict: Verdict | undefined): boolean {
  return verdict?.kind === 'failed' || verdict?.kind === 'dropped';
}
