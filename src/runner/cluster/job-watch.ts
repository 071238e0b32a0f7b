import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { StageEnd, StageLaunch } from '../executors/executor.ts';
import { forgotten, isOnNode, isOver, type JobStatus } from '../executors/slurm/slurm.ts';
import { type JobEnd, JobFolder } from '../jobs/jobs-folder.ts';
import { parseStageMessage, type StageMessage } from '../stage/protocol.ts';
import { settingsFile } from './cluster-settings.ts';
import { AppendedLines, refreshFolder } from './job-files.ts';
import type { ClusterContext, SubmittedJob } from './submitter.ts';

/** How often the files of jobs are read, between two calls of Slurm. */
const filesEveryMs = 1_000;

export type JobListener = Pick<StageLaunch, 'onMessage' | 'onStart'>;

/** How a job ended. */
interface Ended {
  readonly verdict: JobVerdict;
  readonly end: JobEnd | null;
}

/** Watches jobs: through one call of Slurm for all of them, and the files that they write. */
export class JobWatch {
  readonly #context: ClusterContext;
  readonly #stopped: Promise<() => null>;
  readonly #watched = new Map<string, SubmittedJob>();
  #answer: Promise<(job: string) => JobStatus | null> = Promise.resolve(() => null);
  #nextAskMs = 0;
  #isSilent = false;
  /** Whether jobs that wait are cancelled by this run. */
  isEnding = false;

  constructor(context: ClusterContext) {
    this.#context = context;
    this.#stopped = once(context.run.signal, 'abort').then(() => () => null);
  }

  /** Cancels what waits. If Slurm does not do it, it runs, and its result is kept. */
  async cancelWaiting(): Promise<void> {
    this.isEnding = true;
    const jobs = [...this.#watched.values()].map(({ job }) => job);
    await this.#context.slurm.cancel(jobs, '--state=PENDING').catch(() => {});
  }

  /**
   * @returns how the job ends
   * @throws {ReproError} `slurm-missing` if Slurm's commands have disappeared; `jobs-unreadable`; the signal's reason if this run stops
   */
  async follow(job: SubmittedJob, listener: JobListener): Promise<Ended> {
    const { run, settings } = this.#context;
    const folder = JobFolder.of(run.session.folder, job.id);
    const { signal } = run;
    const everyMs = Math.min(filesEveryMs, settings.pollSeconds * 1000);
    const messages = new AppendedLines(folder.fileOf(`messages-${job.name}.ndjson`));
    let shown = '';
    let startedMs: number | null = null;
    /** Until when its report may appear although Slurm calls it over; null: Slurm does not. */
    let untilMs: number | null = null;
    const isSilent = (): boolean => untilMs !== null && Date.now() >= untilMs;
    const waitForReport = ({ state, node }: JobStatus): void => {
      untilMs = folder.startPatience(job.name, Date.now() + settings.patienceSeconds * 1000);
      if (isSilent()) return;
      const where = node === null ? '' : ` on ${node}`;
      const seconds = Math.ceil((untilMs - Date.now()) / 1000);
      const text = `job ${job.job}${where} has ended as ${state}; its report may take up to ${seconds} s to appear`;
      run.onEvent({ kind: 'note', id: job.id, level: 'note', text });
    };
    const show = ({ state, reason, node }: JobStatus): void => {
      const isRunning = isOnNode({ state });
      const now = JSON.stringify([isRunning, reason, node, startedMs]);
      if (now === shown) return;
      shown = now;
      run.onEvent({ kind: 'job', id: job.id, job: job.job, state, isRunning, reason, node, startedMs });
    };
    const look = (status: JobStatus | null): Ended | null => {
      if (isOver(status)) refreshFolder(folder.root);
      const started = startedMs === null ? folder.readStarted(job.name) : null;
      if (started !== null) {
        startedMs = started.atMs;
        show({ state: 'RUNNING', reason: null, node: started.node });
        listener.onStart?.();
      }
      // The end first: then the messages include everything before it.
      const end = folder.readEnd(job.name);
      let progress: StageMessage | null = null;
      for (const line of messages.read()) {
        const message = parseStageMessage(line);
        // Only the latest.
        if (message?.type === 'progress') progress = message;
        else if (message !== null) listener.onMessage(message);
      }
      if (progress !== null) listener.onMessage(progress);
      const hasStarted = startedMs !== null;
      const verdict = judge({ job: job.job, end, hasStarted, status, isSilent: isSilent() });
      return verdict && { verdict, end };
    };
    this.#watched.set(job.id, job);
    try {
      // First, before Slurm is asked, by its files: those of an earlier run may have ended.
      for (let status: JobStatus | null = null; ; status = await this.#ask(job.job)) {
        signal.throwIfAborted();
        if (!isOver(status)) untilMs = null;
        if (status !== null && !isOver(status)) show(status);
        try {
          // Hundreds may wait in the queue, and write nothing.
          const ended = status?.state === 'PENDING' && startedMs === null ? null : look(status);
          if (ended !== null) return ended;
          if (isOver(status) && untilMs === null) waitForReport(status);
        } catch (error) {
          // A network file system may fail for a moment while the job continues.
          if (isSilent()) throw error;
        }
        await wait(everyMs, undefined, { signal });
      }
    } finally {
      this.#watched.delete(job.id);
    }
  }

  /** What Slurm says of a job; it is asked about all at once, and not again for a while. */
  async #ask(job: string): Promise<JobStatus | null> {
    if (performance.now() >= this.#nextAskMs) {
      this.#nextAskMs = performance.now() + this.#context.settings.pollSeconds * 1000;
      this.#answer = this.#askAll(new Set([...this.#watched.values()].map((one) => one.job)));
    }
    return (await Promise.race([this.#answer, this.#stopped]))(job);
  }

  async #askAll(jobs: ReadonlySet<string>): Promise<(job: string) => JobStatus | null> {
    const { slurm, settings, run } = this.#context;
    const { stateOf, problem } = await slurm.readStates([...jobs]);
    if (problem !== null && !this.#isSilent) {
      const text = `Slurm does not answer (${problem.split('\n', 1)[0]}); jobs continue; asking again every ${settings.pollSeconds} s`;
      const [id = ''] = this.#watched.keys();
      run.onEvent({ kind: 'note', id, level: 'warning', text });
    }
    this.#isSilent = problem !== null;
    return (job) => (jobs.has(job) ? stateOf(job) : null);
  }
}

/** All that is known about a job at one moment. */
export interface Evidence {
  readonly job: string;
  /** Its own report of its end; null: there is none, or it is not visible here yet. */
  readonly end: JobEnd | null;
  /** Whether its file says that it has started. */
  readonly hasStarted: boolean;
  /** What Slurm says; null: it did not answer. */
  readonly status: JobStatus | null;
  /** Whether Slurm has called it over for so long that no report will appear. */
  readonly isSilent: boolean;
}

export type JobFailure = Extract<StageEnd, { kind: 'failed' }> & {
  /** Whether it was ended before its stage was done, through no fault of the stage: another job may continue from what it saved. */
  readonly isCutOff?: true;
};

/** How a job ended. */
export type JobVerdict = Extract<StageEnd, { kind: 'done' }> | JobFailure;

/**
 * Judges a job by its own report; only if there is none, by the state that Slurm reports.
 *
 * @returns null while it waits or runs, or this is unknown
 */
export function judge({ job, end, hasStarted, status, isSilent }: Evidence): JobVerdict | null {
  if (end !== null && end.end.kind !== 'interrupted') return end.end;
  if (end?.wasWarned === true) return failed('timeout', `job ${job} on ${end.node} used up its time`, true);
  if (!isOver(status)) return null;
  const { state, reason } = status;
  const node = status.node ?? end?.node ?? null;
  const where = `job ${job}${node === null ? '' : ` on ${node}`}`;
  const hasBegun = hasStarted || end !== null;
  if (!hasBegun && state === 'CANCELLED') return failed('cancelled', `${where} was cancelled`);
  // At once, although what it left may not be visible yet: the folder was listed again just now, and a mistake in `prelude` is common.
  if (!hasBegun && state === 'FAILED')
    return failed(
      'not-begun',
      `${where} failed before its stage began${reason === null ? '' : ` (${reason})`}\n  ${notBegunFix}`,
    );
  // Its report may exist before it is visible here.
  if (end === null && !isSilent) return null;
  const [code, what, isCutOff] = meanings[state] ?? [];
  if (code !== undefined) return failed(code, `${where} ${what}`, isCutOff);
  const signal = /^RaisedSignal:(\d+)/.exec(reason ?? '')?.[1];
  if (end !== null || signal === '15')
    return failed('told-to-end', `${where} was ended by SIGTERM, and Slurm does not say why`);
  if (state === forgotten)
    return failed('job-lost', `Slurm no longer knows job ${job}, and it left no result`);
  const hint =
    signal === '9'
      ? '\n  Unless someone killed it by hand, the node ran out of memory: raise resources.memory of the stage.'
      : '';
  const said = reason === null ? '' : ` (${reason})`;
  return failed('job-failed', `${where} ended as ${state}${said} before the stage could report why${hint}`);
}

const notBegunFix =
  `The log says why: correct \`prelude\`, \`command\` or \`node\` in ${settingsFile}. Without a log, the project is another folder on that ` +
  'node, or your quota is full: put it on a file system that the nodes share.';

/** States that say by themselves how a job ended; last, whether that was through no fault of its stage. */
const meanings: { readonly [state: string]: readonly [code: string, what: string, isCutOff: boolean] } = {
  TIMEOUT: ['timeout', 'reached its time limit', true],
  PREEMPTED: ['preempted', 'was preempted by another job', true],
  NODE_FAIL: ['node-failed', 'ended since its node failed', true],
  BOOT_FAIL: ['node-failed', 'ended since its node failed', true],
  OUT_OF_MEMORY: [
    'out-of-memory',
    'needed more memory than it requested\n  Raise resources.memory of the stage.',
    false,
  ],
  CANCELLED: ['cancelled', 'was cancelled', false],
  REVOKED: ['cancelled', 'was cancelled', false],
  COMPLETED: [
    'no-result',
    'succeeded, but its result is not in this folder\n  Put the project on a file system that the nodes share.',
    false,
  ],
};

function failed(code: string, text: string, isCutOff = false): JobFailure {
  return { kind: 'failed', code, text, ...(isCutOff && { isCutOff }) };
}
