import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '../../errors.ts';
import { isOnNode, type JobStatus, phaseOf } from '../../executors/slurm/job-state.ts';
import type { Slurm } from '../../executors/slurm/slurm.ts';
import { type BatchTask, jobOf, type SubmittedBatch } from '../jobs/batch.ts';
import { hasEnded, readTaskEnd, type TaskEnd } from '../jobs/task-end.ts';
import type { RunEvent } from '../run/events.ts';
import { refreshFolder } from './file-visibility.ts';
import { type InstanceEvent, TaskEventReader } from './task-events.ts';
import { type Before, judge, type Verdict } from './verdict.ts';

/** How often the files of jobs are read, between two calls of Slurm. */
const filesEveryMs = 1_000;

/** How an instance's job ended, with the last event that it reported itself. */
export interface Settled {
  readonly verdict: Exclude<Verdict, { kind: 'wait' }>;
  readonly end: TaskEnd | null;
  /** The event of its end, held back until that is confirmed. */
  readonly last: InstanceEvent | null;
  /** How long it has run, as far as Slurm has said. */
  readonly seconds: number;
  /** Whether the stage itself has started, so that it has a log. */
  readonly hasStarted: boolean;
  readonly submitted: SubmittedBatch;
  readonly index: number;
}

interface Watched {
  readonly id: string;
  readonly submitted: SubmittedBatch;
  readonly index: number;
  readonly job: string;
  /** Its dependencies. */
  readonly after: BatchTask['after'];
  readonly events: TaskEventReader;
  readonly settle: (settled: Settled | 'stopped') => void;
  readonly fail: (error: unknown) => void;
  last: InstanceEvent | null;
  shown: string;
  /** Since when Slurm has called it ended or unknown; null: it has not. */
  silentSinceMs: number | null;
  status: JobStatus | 'absent' | null;
  seconds: number;
  hasStarted: boolean;
  /** Whether it was reported that its files cannot be read. */
  isUnreadable: boolean;
}

export interface JobWatchOptions {
  readonly slurm: Slurm;
  readonly hasAccounting: boolean;
  readonly pollSeconds: number;
  readonly patienceSeconds: number;
  readonly onEvent: (event: RunEvent) => void;
}

/** Watches jobs: through one call of Slurm for all of them, and the files that they write. */
export class JobWatch {
  readonly #options: JobWatchOptions;
  readonly #watched = new Map<string, Watched>();
  /** Verdicts by the end files of jobs. */
  readonly #verdicts = new Map<string, Verdict>();
  readonly #stop = new AbortController();
  #isLooping = false;
  #isSilent = false;

  constructor(options: JobWatchOptions) {
    this.#options = options;
  }

  /**
   * @returns how the job ends; `stopped` if {@link stop} comes first
   * @throws {ReproError} `slurm-missing` if Slurm's commands have disappeared
   */
  follow(submitted: SubmittedBatch, index: number, id: string): Promise<Settled | 'stopped'> {
    if (this.#stop.signal.aborted) return Promise.resolve('stopped');
    const job = jobOf(submitted.batch, index) ?? '';
    const after = submitted.folder.readTask(index)?.after ?? [];
    const promise = new Promise<Settled | 'stopped'>((settle, fail) => {
      this.#watched.set(id, {
        ...{ id, submitted, index, job, after, settle, fail },
        events: new TaskEventReader(submitted.folder.eventsFile(index), id),
        last: null,
        shown: '',
        silentSinceMs: null,
        status: null,
        seconds: 0,
        hasStarted: false,
        isUnreadable: false,
      });
    });
    if (!this.#isLooping) this.#loop().catch((error: unknown) => this.#failAll(error));
    return promise;
  }

  /** Stops watching; the jobs continue. */
  stop(): void {
    this.#stop.abort();
    for (const one of this.#watched.values()) one.settle('stopped');
    this.#watched.clear();
  }

  async #loop(): Promise<void> {
    this.#isLooping = true;
    try {
      await this.#lookRepeatedly();
    } finally {
      this.#isLooping = false;
    }
  }

  #failAll(error: unknown): void {
    for (const one of this.#watched.values()) one.fail(error);
    this.#watched.clear();
  }

  async #lookRepeatedly(): Promise<void> {
    let nextPollMs = 0;
    while (this.#watched.size > 0 && !this.#stop.signal.aborted) {
      const isDue = performance.now() >= nextPollMs;
      if (isDue) {
        await this.#ask();
        nextPollMs = performance.now() + this.#options.pollSeconds * 1000;
      }
      // Hundreds may wait in the queue, and write nothing.
      for (const one of [...this.#watched.values()]) if (isDue || !isPending(one)) this.#tryToLook(one);
      const pauseMs = Math.min(filesEveryMs, this.#options.pollSeconds * 1000);
      await wait(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  /** Asks Slurm about all jobs at once, and accounting about those that have left the queue. */
  async #ask(): Promise<void> {
    const { slurm, hasAccounting } = this.#options;
    const all = [...this.#watched.values()];
    const states = await slurm.readStates(
      all.map(({ job }) => job),
      hasAccounting,
    );
    if ('problem' in states) {
      for (const one of this.#watched.values()) one.status = null;
      return this.#noteSilence(`Slurm does not answer (${firstLine(states.problem)}); jobs continue`);
    }
    for (const one of all) this.#note(one, states.stateOf(one.job));
    if (states.accountingProblem === null) {
      this.#isSilent = false;
      return;
    }
    this.#noteSilence(
      `Slurm's accounting does not answer (${firstLine(states.accountingProblem)}); the fate of jobs that have left the queue is unknown`,
    );
  }

  #note(one: Watched, status: JobStatus | 'absent' | null): void {
    one.status = status;
    const isOver = status === 'absent' || (status !== null && phaseOf(status.state) === 'ended');
    if (!isOver) one.silentSinceMs = null;
    else one.silentSinceMs ??= performance.now();
    if (status === null || status === 'absent') return;
    const { state, reason, node, elapsedSeconds } = status;
    one.seconds = elapsedSeconds ?? one.seconds;
    const isRunning = isOnNode(state);
    const shown = JSON.stringify([isRunning, reason, node]);
    if (shown === one.shown || phaseOf(state) === 'ended' || !this.#watched.has(one.id)) return;
    one.shown = shown;
    const { id, job } = one;
    this.#options.onEvent({ kind: 'job', id, job, state, isRunning, reason, node, elapsedSeconds });
  }

  /** Reports that Slurm is silent, once until it answers again. */
  #noteSilence(what: string): void {
    if (this.#isSilent) return;
    this.#isSilent = true;
    const watched = [...this.#watched.values()];
    const { id = '' } = watched.find(({ status }) => status === null) ?? {};
    const text = `${what}; asking again every ${this.#options.pollSeconds} s`;
    this.#options.onEvent({ kind: 'note', id, level: 'warning', text });
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
      this.#options.onEvent({ kind: 'note', id: one.id, level: 'warning', text });
    }
  }

  #look(one: Watched): void {
    if (one.silentSinceMs !== null) refreshFolder(one.submitted.folder.taskFolder(one.index));
    // The end first: then the events include everything before it.
    const end = one.submitted.folder.readEnd(one.index);
    for (const event of one.events.read()) {
      one.hasStarted ||= event.kind === 'started';
      if (isLast(event)) one.last = event;
      else this.#options.onEvent(event);
    }
    const silentSeconds = one.silentSinceMs === null ? 0 : (performance.now() - one.silentSinceMs) / 1000;
    const { patienceSeconds } = this.#options;
    const { job, status } = one;
    const before = silentSeconds > 0 ? this.#lookBefore(one) : 'fine';
    const verdict = judge({ job, end, status, silentSeconds, patienceSeconds, before });
    if (verdict.kind === 'wait') return;
    this.#watched.delete(one.id);
    this.#verdicts.set(one.submitted.folder.endFile(one.index), verdict);
    const { last, seconds, hasStarted, submitted, index } = one;
    one.settle({ verdict, end, last, seconds, hasStarted, submitted, index });
  }

  /** How the dependencies of a job ended. */
  #lookBefore({ after }: Watched): Before {
    const states = after.map(({ id, endFile }): Before => {
      const verdict = this.#verdicts.get(endFile);
      if (verdict?.kind === 'failed' || verdict?.kind === 'dropped') return 'failed';
      const end = readTaskEnd(endFile);
      if (end?.kind === 'failed') return 'failed';
      const watched = this.#watched.get(id);
      const isOver = watched !== undefined && watched.silentSinceMs !== null;
      return isOver && !hasEnded(end) ? 'open' : 'fine';
    });
    if (states.includes('failed')) return 'failed';
    return states.includes('open') ? 'open' : 'fine';
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function isPending({ status }: Watched): boolean {
  return (
    status !== null && status !== 'absent' && phaseOf(status.state) === 'active' && !isOnNode(status.state)
  );
}

function isLast({ kind }: InstanceEvent): boolean {
  return kind === 'finished' || kind === 'failed' || kind === 'interrupted' || kind === 'cached';
}
