import type { StaleReason } from '../../runner/freshness/stale-reason.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import type { ExpectedTime, ExpectedTotal } from '../../runner/run/expected-time.ts';
import type { MetricValue, Progress } from '../../stage/define-stage.ts';

export type InstanceState =
  | 'waiting'
  | 'cached'
  | 'would-run'
  | 'running'
  | 'finished'
  | 'failed'
  | 'blocked'
  | 'interrupted';

/** The amount done at a moment, by the clock of the machine that does the work. */
export interface ProgressMark {
  readonly done: number;
  readonly atMs: number;
}

/** The state of one instance during a run. */
export interface InstanceView {
  readonly id: string;
  state: InstanceState;
  restored: readonly string[];
  removed: readonly string[];
  reasons: readonly StaleReason[];
  /** Of a dry run: how long it would take; null if unknown. */
  expected: ExpectedTime | null;
  startedMs: number;
  seconds: number;
  progress: Progress | null;
  /** The first progress since it started: what was done before that, an earlier job or run has done. */
  base: ProgressMark | null;
  /** The latest progress, and when it was seen here. */
  latest: (ProgressMark & { readonly seenMs: number }) | null;
  metrics: Record<string, MetricValue>;
  /** How long it took to make its outputs, in this run or an earlier one; null until that is known. */
  madeInSeconds: number | null;
  failure: { code: string; text: string; logFile: string; logTail: readonly string[] } | null;
  blockedBy: readonly string[];
  job: Extract<RunEvent, { kind: 'job' }> | null;
  trace: Pick<Extract<RunEvent, { kind: 'traced' }>, 'undeclared' | 'yaml'> | null;
}

export interface RunState {
  readonly instances: Map<string, InstanceView>;
  outcome: 'ok' | 'failed' | 'interrupted' | null;
  seconds: number;
  expected: ExpectedTotal | null;
  /** How long the run still takes, as of a moment; null if nothing is known. */
  left: (ExpectedTotal & { readonly atMs: number }) | null;
}

export function createRunState(): RunState {
  return { instances: new Map(), outcome: null, seconds: 0, expected: null, left: null };
}

function newInstance(id: string): InstanceView {
  return {
    id,
    state: 'waiting',
    restored: [],
    removed: [],
    reasons: [],
    expected: null,
    startedMs: 0,
    seconds: 0,
    progress: null,
    base: null,
    latest: null,
    metrics: {},
    madeInSeconds: null,
    failure: null,
    blockedBy: [],
    job: null,
    trace: null,
  };
}

export function applyEvent(state: RunState, event: RunEvent, nowMs: number): void {
  if (event.kind === 'run-started') {
    state.instances.clear();
    for (const id of event.ids) state.instances.set(id, newInstance(id));
    return;
  }
  if (event.kind === 'run-finished') {
    state.outcome = event.outcome;
    for (const one of state.instances.values()) {
      // Its results were being fetched. A job, however, continues without this run.
      if (one.state === 'running' && one.job === null) one.state = 'waiting';
    }
    state.seconds = event.seconds;
    state.expected = event.expected ?? null;
    return;
  }
  const instance = state.instances.get(event.id) ?? newInstance(event.id);
  state.instances.set(event.id, instance);
  switch (event.kind) {
    case 'cached':
      instance.state = 'cached';
      instance.restored = event.restored;
      instance.removed = event.removed;
      instance.metrics = { ...event.made?.metrics };
      instance.madeInSeconds = event.made?.totalSeconds ?? null;
      break;
    case 'would-run':
      instance.state = 'would-run';
      instance.expected = event.expected;
      instance.reasons = event.reasons;
      break;
    case 'started':
      instance.reasons = event.reasons;
      dropProgress(instance);
      // Reported by an earlier attempt of its job.
      if (isInQueue(instance)) break;
      instance.state = 'running';
      if (instance.job?.elapsedSeconds == null) instance.startedMs = nowMs;
      break;
    case 'progress':
      if (isInQueue(instance)) break;
      // Its results are being fetched.
      if (instance.state === 'waiting') {
        instance.state = 'running';
        instance.startedMs = nowMs;
      }
      noteProgress(instance, event, nowMs);
      break;
    case 'metrics':
      Object.assign(instance.metrics, event.values);
      break;
    case 'finished':
      instance.state = 'finished';
      instance.seconds = event.seconds;
      instance.metrics = { ...event.metrics };
      instance.madeInSeconds = event.totalSeconds ?? event.seconds;
      break;
    case 'failed': {
      // Its job was dropped or cancelled because of the failure that blocks it.
      if (instance.state === 'blocked') break;
      instance.state = 'failed';
      instance.seconds = event.seconds;
      const { code, text, logFile, logTail } = event;
      instance.failure = { code, text, logFile, logTail };
      break;
    }
    case 'blocked':
      instance.state = 'blocked';
      instance.failure = null;
      instance.blockedBy = event.by;
      break;
    case 'interrupted':
      instance.state = 'interrupted';
      break;
    case 'traced':
      instance.trace = { undeclared: event.undeclared, yaml: event.yaml };
      break;
    case 'job':
      instance.job = event;
      // It may have been running for hours already.
      if (event.elapsedSeconds !== null) instance.startedMs = nowMs - event.elapsedSeconds * 1000;
      noteWhereItIs(instance, event, nowMs);
      break;
    case 'note':
      break;
  }
}

/** Slurm decides where a job is: its messages may come from an earlier attempt, before it was requeued. */
function noteWhereItIs(
  instance: InstanceView,
  { isRunning, elapsedSeconds }: Extract<RunEvent, { kind: 'job' }>,
  nowMs: number,
): void {
  if (isInQueue(instance)) {
    if (instance.state === 'running') instance.state = 'waiting';
    dropProgress(instance);
  } else if (isRunning && instance.state === 'waiting') {
    instance.state = 'running';
    if (elapsedSeconds === null) instance.startedMs = nowMs;
  }
}

/** A job that has a node but does not run is ending; the events of the stage tell how. */
function isInQueue({ job }: InstanceView): boolean {
  return job !== null && !job.isRunning && job.node === null;
}

function noteProgress(
  instance: InstanceView,
  { progress, atMs }: Extract<RunEvent, { kind: 'progress' }>,
  nowMs: number,
): void {
  const mark = { done: progress.done, atMs: atMs ?? nowMs };
  instance.progress = progress;
  instance.base ??= mark;
  instance.latest = { ...mark, seenMs: nowMs };
}

function dropProgress(instance: InstanceView): void {
  instance.progress = null;
  instance.base = null;
  instance.latest = null;
}

/** Units done per second since the first progress; null while unknown. */
export function rateOf({ base, latest }: InstanceView, nowMs: number): number | null {
  if (base === null || latest === null || latest.done <= base.done) return null;
  const seconds = (latest.atMs - base.atMs + Math.max(0, nowMs - latest.seenMs)) / 1000;
  return seconds < 1 ? null : (latest.done - base.done) / seconds;
}

/** How long it still runs, by its own progress; null while unknown. */
export function secondsLeftOf(one: InstanceView, nowMs: number): number | null {
  const rate = rateOf(one, nowMs);
  if (rate === null || one.progress === null || !(one.progress.total > 0)) return null;
  return Math.max(0, one.progress.total - one.progress.done) / rate;
}

export function idsIn(state: RunState, wanted: InstanceState): string[] {
  return [...state.instances.values()].filter((one) => one.state === wanted).map((one) => one.id);
}

export function listQueued(state: RunState): InstanceView[] {
  return [...state.instances.values()].filter((one) => one.state === 'waiting' && one.job !== null);
}

/** `36 queued: Resources ×30, Priority ×6`. */
export function describeQueued(queued: readonly InstanceView[]): string {
  const counts = new Map<string, number>();
  for (const { job } of queued) {
    const reason = job?.reason ?? null;
    if (reason !== null) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([reason, n]) => (n === 1 ? reason : `${reason} ×${n}`));
  return `${queued.length} queued${reasons.length === 0 ? '' : `: ${reasons.join(', ')}`}`;
}

/** Shows a run; `state` already includes the event. */
export interface View {
  show(event: RunEvent, state: RunState, nowMs: number): void;
  /** Ends the view; later output appears below it. */
  close(): void;
}
