import { unreachable } from '../../base/errors.ts';
import type { StaleReason } from '../../runner/freshness/differences.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import type { MetricValue, Progress } from '../../runner/stage/define-stage.ts';

/** Each event of such a kind leads to the state of that name. */
const endStates = ['cached', 'would-run', 'finished', 'failed', 'blocked', 'interrupted'] as const;

export type InstanceState = 'waiting' | 'running' | (typeof endStates)[number];

/** Progress, and when it was reported, by the clock of the machine that does the work. */
interface SeenProgress extends Progress {
  readonly atMs: number;
  /** When it was seen, by the clock of this machine. */
  readonly seenMs: number;
  /** The first since the instance started, or since a jump in time: what was done before that, an earlier job or run may have done. */
  readonly base: { readonly done: number; readonly atMs: number };
}

/** Two reports of progress are closer together, unless the machine slept or its clock was set: the time between them is no work. */
const longestStepMs = 30 * 60_000;

/** The state of one instance during a run. */
export class InstanceView {
  readonly id: string;
  state: InstanceState = 'waiting';
  restored: readonly string[] = [];
  removed: readonly string[] = [];
  reasons: readonly StaleReason[] = [];
  startedMs = 0;
  seconds = 0;
  progress: SeenProgress | null = null;
  metrics: Record<string, MetricValue> = {};
  /** How long it took to make its outputs, in this run or an earlier one; null until that is known. */
  madeInSeconds: number | null = null;
  failure: { code: string; text: string; logFile: string; logTail: readonly string[] } | null = null;
  blockedBy: readonly string[] = [];
  /** See the event `interrupted`. */
  savedSecondsAgo: number | null = null;
  job: Extract<RunEvent, { kind: 'job' }> | null = null;

  constructor(id: string) {
    this.id = id;
  }

  /** A job that has a node but does not run is ending; the events of the stage tell how. */
  get isInQueue(): boolean {
    return this.job !== null && !this.job.isRunning && this.job.node === null;
  }
}

export class RunState {
  readonly instances = new Map<string, InstanceView>();
  outcome: 'ok' | 'failed' | 'interrupted' | null = null;
  seconds = 0;
  isRehearsal = false;
  /** The most that have run at once: between two, fewer run for a moment. */
  mostAtOnce = 0;

  listIn(wanted: InstanceState): InstanceView[] {
    return [...this.instances.values()].filter(({ state }) => state === wanted);
  }

  /** Those whose job waits. */
  listQueued(): InstanceView[] {
    return this.listIn('waiting').filter(({ job }) => job !== null);
  }
}

export function applyEvent(state: RunState, event: RunEvent, nowMs: number): void {
  if (event.kind === 'run-started') {
    state.instances.clear();
    for (const id of event.ids) state.instances.set(id, new InstanceView(id));
  } else if (event.kind === 'run-finished') {
    state.outcome = event.outcome;
    state.seconds = event.seconds;
    for (const one of state.listIn('running')) {
      // Its results were being fetched. A job, however, continues without this run.
      if (one.job === null) one.state = 'waiting';
    }
  } else {
    const instance = state.instances.get(event.id) ?? new InstanceView(event.id);
    state.instances.set(event.id, instance);
    state.isRehearsal ||= event.kind === 'cached' && event.isRehearsal;
    applyToInstance(instance, event, nowMs);
  }
  state.mostAtOnce = Math.max(state.mostAtOnce, state.listIn('running').length);
}

function applyToInstance(
  instance: InstanceView,
  event: Exclude<RunEvent, { kind: 'run-started' | 'run-finished' }>,
  nowMs: number,
): void {
  // Its job was dropped or cancelled because of the failure that blocks it.
  if (event.kind === 'failed' && instance.state === 'blocked') return;
  const endState = endStates.find((one) => one === event.kind);
  if (endState !== undefined) instance.state = endState;
  switch (event.kind) {
    case 'cached':
      instance.restored = event.restored;
      instance.removed = event.removed;
      instance.metrics = { ...event.made?.metrics };
      instance.madeInSeconds = event.made?.totalSeconds ?? null;
      break;
    case 'would-run':
      instance.reasons = event.reasons;
      break;
    case 'started':
      instance.reasons = event.reasons;
      instance.progress = null;
      // Otherwise, an earlier attempt of its job has reported this.
      if (!instance.isInQueue) start(instance, nowMs);
      break;
    case 'progress': {
      if (instance.isInQueue) break;
      // Its results are being fetched.
      if (instance.state === 'waiting') start(instance, nowMs);
      const { progress, atMs = nowMs } = event;
      const last = instance.progress;
      // A count that falls begins anew, as for the next file of a download. So does one after a jump in time.
      const goesOn =
        last !== null && progress.done >= last.done && Math.abs(atMs - last.atMs) < longestStepMs;
      const base = goesOn ? last.base : { done: progress.done, atMs };
      instance.progress = { ...progress, atMs, seenMs: nowMs, base };
      break;
    }
    case 'metrics':
      Object.assign(instance.metrics, event.values);
      break;
    case 'finished':
      instance.seconds = event.seconds;
      instance.metrics = { ...event.metrics };
      instance.madeInSeconds = event.totalSeconds ?? event.seconds;
      break;
    case 'failed': {
      const { code, text, logFile, logTail } = event;
      instance.seconds = event.seconds;
      instance.failure = { code, text, logFile, logTail };
      break;
    }
    case 'blocked':
      instance.failure = null;
      instance.blockedBy = event.by;
      break;
    case 'job':
      instance.job = event;
      // Slurm decides where a job is: messages of the stage may come from an attempt before it was requeued.
      if (instance.isInQueue) {
        if (instance.state === 'running') instance.state = 'waiting';
        instance.progress = null;
      } else if (event.isRunning && instance.state === 'waiting') {
        start(instance, nowMs);
      }
      // It may have been running for hours already.
      if (event.startedMs !== null) instance.startedMs = event.startedMs;
      break;
    case 'interrupted':
      instance.savedSecondsAgo = event.savedSecondsAgo;
      break;
    case 'note':
      break;
    default:
      unreachable(event);
  }
}

/** Slurm knows better when a job started. */
function start(instance: InstanceView, nowMs: number): void {
  instance.state = 'running';
  if (instance.job?.startedMs == null) instance.startedMs = nowMs;
}

/** Units done per second since the first progress; null while unknown. */
export function rateOf({ progress }: InstanceView, nowMs: number): number | null {
  if (progress === null || progress.done <= progress.base.done) return null;
  const { done, base, atMs, seenMs } = progress;
  const seconds = (atMs - base.atMs + Math.max(0, nowMs - seenMs)) / 1000;
  return seconds < 1 ? null : (done - base.done) / seconds;
}

/** How long it still runs, by its own progress; null while unknown. */
export function secondsLeftOf(one: InstanceView, nowMs: number): number | null {
  const rate = rateOf(one, nowMs);
  if (rate === null || one.progress === null || !(one.progress.total > 0)) return null;
  return Math.max(0, one.progress.total - one.progress.done) / rate;
}

export function idsIn(state: RunState, wanted: InstanceState): string[] {
  return state.listIn(wanted).map(({ id }) => id);
}

/** `36 queued: Resources ×30, Priority ×6`. */
export function describeQueued(queued: readonly InstanceView[]): string {
  const counts = new Map<string, number>();
  for (const { job } of queued) {
    if (job?.reason != null) counts.set(job.reason, (counts.get(job.reason) ?? 0) + 1);
  }
  const reasons = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([reason, n]) => (n === 1 ? reason : `${reason} ×${n}`));
  return `${queued.length} queued${reasons.length === 0 ? '' : `: ${reasons.join(', ')}`}`;
}

/** Shows a run; `state` already includes the event. */
export interface RunView {
  show(event: RunEvent, state: RunState, nowMs: number): void;
  /** Ends the view; later output appears below it. */
  close(): void;
}
