import os from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { StageLaunch } from '../../executors/executor.ts';
import { isFinal, isOnNode, type JobStatus } from '../../executors/slurm/job-state.ts';
import { parseStageMessage, type StageMessage } from '../../stage/protocol.ts';
import { type JobEnd, type JobFolder, readClusterRun } from '../jobs/jobs-folder.ts';
import { readLinesFrom, refreshFolder } from './job-files.ts';
import type { ClusterContext, SubmittedJob } from './submitter.ts';
import { type JobVerdict, judge } from './verdict.ts';

/** How often the files of jobs are read, between two calls of Slurm. */
const filesEveryMs = 1_000;

export type JobListener = Pick<StageLaunch, 'onMessage' | 'onStart'>;

/** How a job ended. */
interface Ended {
  readonly verdict: JobVerdict;
  readonly end: JobEnd | null;
}

type Said = JobStatus | 'absent' | null;

/** Watches jobs: through one call of Slurm for all of them, and the files that they write. */
export class JobWatch {
  readonly #context: ClusterContext;
  readonly #watched = new Map<string, SubmittedJob>();
  #answer: Promise<(job: SubmittedJob) => Said> = Promise.resolve(() => null);
  #nextAskMs = 0;
  #isSilent = false;

  readonly #stopped: Promise<() => null>;

  constructor(context: ClusterContext) {
    this.#context = context;
    this.#stopped = new Promise((resolve) => {
      context.run.signal.addEventListener('abort', () => resolve(() => null));
    });
  }

  /**
   * @returns how the job ends; `stopped` if this run stops first
   * @throws {ReproError} `slurm-missing` if Slurm's commands have disappeared; `jobs-unreadable`
   */
  async follow(folder: JobFolder, job: SubmittedJob, listener: JobListener): Promise<Ended | 'stopped'> {
    const { run, settings } = this.#context;
    const { signal } = run;
    const everyMs = Math.min(filesEveryMs, settings.pollSeconds * 1000);
    let hasStarted = false;
    let offset = 0;
    let shown = '';
    /** Since when Slurm has called it ended or unknown; null: it has not. */
    let overSinceMs: number | null = null;
    const show = ({ state, reason, node, elapsedSeconds }: JobStatus): void => {
      const isRunning = isOnNode(state);
      const now = JSON.stringify([isRunning, reason, node]);
      if (now === shown) return;
      shown = now;
      run.onEvent({ kind: 'job', id: job.id, job: job.job, state, isRunning, reason, node, elapsedSeconds });
    };
    const look = (status: Said): Ended | null => {
      if (overSinceMs !== null) refreshFolder(folder.root);
      const started = hasStarted ? null : folder.readStarted(job.token);
      if (started !== null) {
        hasStarted = true;
        const { node, atMs } = started;
        const elapsedSeconds = Math.max(0, (Date.now() - atMs) / 1000);
        show({ state: 'RUNNING', reason: null, node, elapsedSeconds });
        listener.onStart?.();
      }
      // The end first: then the messages include everything before it.
      const end = folder.readEnd(job.token);
      const read = readLinesFrom(folder.fileOf('messages.ndjson'), offset);
      offset = read.offset;
      for (const message of parseMessages(read.lines)) listener.onMessage(message);
      const isUnwanted =
        status === 'absent' && readClusterRun(run.session.folder)?.cancelled.includes(job.id) === true;
      const verdict = judge({ job: job.job, end, hasStarted, isUnwanted, status, isSilent: isSilent() });
      return verdict && { verdict, end };
    };
    const isSilent = (): boolean =>
      overSinceMs !== null && performance.now() - overSinceMs >= settings.patienceSeconds * 1000;
    this.#watched.set(job.id, job);
    try {
      // First, before Slurm is asked, by its files: those of an earlier run may have ended.
      for (let status: Said = null; !signal.aborted; status = await this.#ask(job)) {
        const known = status === 'absent' ? null : status;
        const isOver = status === 'absent' || (known !== null && isFinal(known.state));
        if (!isOver) overSinceMs = null;
        else overSinceMs ??= performance.now();
        if (known !== null && !isOver) show(known);
        try {
          // Hundreds may wait in the queue, and write nothing.
          const isWaiting = known !== null && !isOver && !isOnNode(known.state);
          const ended = isWaiting && !hasStarted ? null : look(status);
          if (ended !== null) return ended;
        } catch (error) {
          // A network file system may fail for a moment, and the job goes on.
          if (isSilent()) throw error;
        }
        await wait(everyMs, undefined, { signal }).catch(() => {});
      }
      return 'stopped';
    } finally {
      this.#watched.delete(job.id);
    }
  }

  /** The jobs that are watched, such as `12_3`. */
  get jobs(): string[] {
    return [...this.#watched.values()].map(({ job }) => job);
  }

  /** What Slurm says of a job; it is asked about all at once, and not again for a while. */
  async #ask(job: SubmittedJob): Promise<Said> {
    if (performance.now() >= this.#nextAskMs) {
      this.#nextAskMs = performance.now() + this.#context.settings.pollSeconds * 1000;
      this.#answer = this.#askAll(new Set(this.jobs));
    }
    return (await Promise.race([this.#answer, this.#stopped]))(job);
  }

  async #askAll(jobs: ReadonlySet<string>): Promise<(job: SubmittedJob) => Said> {
    const { slurm, settings, run } = this.#context;
    const { stateOf, problem } = await slurm.readStates([...jobs]);
    if (problem !== null && !this.#isSilent) {
      const text = `Slurm does not answer (${problem.split('\n', 1)[0]}); jobs continue; asking again every ${settings.pollSeconds} s`;
      const [id = ''] = this.#watched.keys();
      run.onEvent({ kind: 'note', id, level: 'warning', text });
    }
    this.#isSilent = problem !== null;
    return ({ job, owner }) => {
      const said = jobs.has(job) ? stateOf(job) : null;
      // Slurm may hide jobs of other users, and then says the same as of those that it has forgotten.
      return said === 'absent' && owner !== os.userInfo().username ? null : said;
    };
  }
}

/** Of progress only the latest. */
function parseMessages(lines: readonly string[]): StageMessage[] {
  const messages = lines.flatMap((line) => parseStageMessage(line) ?? []);
  const lastProgress = messages.findLast(({ type }) => type === 'progress');
  return messages.filter((message) => message.type !== 'progress' || message === lastProgress);
}
