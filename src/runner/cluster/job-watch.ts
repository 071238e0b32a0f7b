import os from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '../../errors.ts';
import type { StageLaunch } from '../../executors/executor.ts';
import { isFinal, isOnNode, type JobStatus } from '../../executors/slurm/job-state.ts';
import { parseStageMessage, type StageMessage } from '../../stage/protocol.ts';
import type { JobEnd, JobFolder } from '../jobs/jobs-folder.ts';
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

interface Watched extends JobListener {
  readonly folder: JobFolder;
  readonly job: SubmittedJob;
  readonly settle: (ended: Ended | 'stopped') => void;
  readonly fail: (error: unknown) => void;
  hasStarted: boolean;
  /** How much of its messages was read. */
  offset: number;
  /** What Slurm said of it last, as shown. */
  shown: string;
  /** Since when Slurm has called it ended or unknown; null: it has not. */
  overSinceMs: number | null;
  status: JobStatus | 'absent' | null;
  /** Whether it was reported that its files cannot be read. */
  isUnreadable: boolean;
}

/** Watches jobs: through one call of Slurm for all of them, and the files that they write. */
export class JobWatch {
  readonly #context: ClusterContext;
  readonly #watched = new Map<string, Watched>();
  #isLooping = false;
  #isSilent = false;

  constructor(context: ClusterContext) {
    this.#context = context;
    context.run.signal.addEventListener('abort', () => {
      for (const one of this.#watched.values()) one.settle('stopped');
      this.#watched.clear();
    });
  }

  /**
   * @returns how the job ends; `stopped` if this run stops first
   * @throws {ReproError} `slurm-missing` if Slurm's commands have disappeared
   */
  follow(folder: JobFolder, job: SubmittedJob, listener: JobListener): Promise<Ended | 'stopped'> {
    if (this.#context.run.signal.aborted) return Promise.resolve('stopped');
    const promise = new Promise<Ended | 'stopped'>((settle, fail) => {
      this.#watched.set(job.id, {
        ...listener,
        ...{ folder, job, settle, fail },
        hasStarted: false,
        offset: 0,
        shown: '',
        overSinceMs: null,
        status: null,
        isUnreadable: false,
      });
    });
    if (!this.#isLooping) {
      this.#isLooping = true;
      this.#loop()
        .catch((error: unknown) => {
          for (const one of this.#watched.values()) one.fail(error);
          this.#watched.clear();
        })
        .finally(() => {
          this.#isLooping = false;
        });
    }
    return promise;
  }

  /** The jobs that are watched, such as `12_3`. */
  get jobs(): string[] {
    return [...this.#watched.values()].map(({ job }) => job.job);
  }

  async #loop(): Promise<void> {
    const { signal } = this.#context.run;
    const { pollSeconds } = this.#context.settings;
    let nextPollMs = 0;
    while (this.#watched.size > 0 && !signal.aborted) {
      const isDue = performance.now() >= nextPollMs;
      if (isDue) {
        await this.#ask();
        nextPollMs = performance.now() + pollSeconds * 1000;
      }
      // Hundreds may wait in the queue, and write nothing.
      for (const one of [...this.#watched.values()]) if (isDue || !isPending(one)) this.#tryToLook(one);
      await wait(Math.min(filesEveryMs, pollSeconds * 1000), undefined, { signal }).catch(() => {});
    }
  }

  /** Asks Slurm about all jobs at once, and accounting about those that have left the queue. */
  async #ask(): Promise<void> {
    const { slurm, cluster, settings } = this.#context;
    const all = [...this.#watched.values()];
    const states = await slurm.readStates(
      all.map(({ job }) => job.job),
      cluster.hasAccounting,
    );
    for (const one of all) this.#note(one, states.stateOf(one.job.job));
    const { problem } = states;
    if (problem !== null && !this.#isSilent) {
      const text = `Slurm does not answer (${problem.split('\n', 1)[0]}); jobs continue; asking again every ${settings.pollSeconds} s`;
      const { id = '' } = all.find(({ status }) => status === null)?.job ?? {};
      this.#context.run.onEvent({ kind: 'note', id, level: 'warning', text });
    }
    this.#isSilent = problem !== null;
  }

  #note(one: Watched, said: JobStatus | 'absent' | null): void {
    // Slurm may hide jobs of other users, and then says the same as of those that it has forgotten.
    one.status = said === 'absent' && one.job.owner !== os.userInfo().username ? null : said;
    const { status } = one;
    const isOver = status === 'absent' || (status !== null && isFinal(status.state));
    if (!isOver) one.overSinceMs = null;
    else one.overSinceMs ??= performance.now();
    if (status !== null && status !== 'absent' && !isFinal(status.state)) this.#show(one, status);
  }

  #show(one: Watched, { state, reason, node, elapsedSeconds }: JobStatus): void {
    const isRunning = isOnNode(state);
    const shown = JSON.stringify([isRunning, reason, node]);
    if (shown === one.shown) return;
    one.shown = shown;
    const { id, job } = one.job;
    this.#context.run.onEvent({ kind: 'job', id, job, state, isRunning, reason, node, elapsedSeconds });
  }

  /** If a file cannot be read, the job continues, and its files are read again later. */
  #tryToLook(one: Watched): void {
    try {
      this.#look(one);
      one.isUnreadable = false;
    } catch (error) {
      if (one.isUnreadable) return;
      one.isUnreadable = true;
      const text = `the files of its job cannot be read now; trying again: ${describeError(error)}`;
      this.#context.run.onEvent({ kind: 'note', id: one.job.id, level: 'warning', text });
    }
  }

  #look(one: Watched): void {
    const { folder, job, overSinceMs, status } = one;
    if (overSinceMs !== null) refreshFolder(folder.root);
    const started = one.hasStarted ? null : folder.readStarted(job.token);
    if (started !== null) {
      one.hasStarted = true;
      const { node, atMs } = started;
      const elapsedSeconds = Math.max(0, (Date.now() - atMs) / 1000);
      this.#show(one, { state: 'RUNNING', reason: null, node, elapsedSeconds });
      one.onStart?.();
    }
    // The end first: then the messages include everything before it.
    const end = folder.readEnd(job.token);
    for (const message of readMessages(one)) one.onMessage(message);
    const patienceMs = this.#context.settings.patienceSeconds * 1000;
    const isSilent = overSinceMs !== null && performance.now() - overSinceMs >= patienceMs;
    const verdict = judge({ job: job.job, end, status, isSilent });
    if (verdict === null) return;
    this.#watched.delete(job.id);
    one.settle({ verdict, end });
  }
}

/** The messages of a job since the last call, of its progress only the latest. */
function readMessages(one: Watched): StageMessage[] {
  const { lines, offset } = readLinesFrom(one.folder.messagesFile, one.offset);
  one.offset = offset;
  const messages = lines.flatMap((line) => parseStageMessage(line) ?? []);
  const lastProgress = messages.findLast(({ type }) => type === 'progress');
  return messages.filter((message) => message.type !== 'progress' || message === lastProgress);
}

function isPending({ status, hasStarted }: Watched): boolean {
  if (status === null || status === 'absent' || hasStarted) return false;
  return !isFinal(status.state) && !isOnNode(status.state);
}
