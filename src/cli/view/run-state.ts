import type { RunEvent, StaleReason } from '../../runner/events.ts';
import type { ExpectedTime, ExpectedTotal } from '../../runner/expected-time.ts';
import type { MetricValue, Progress } from '../../stage/context.ts';

export type InstanceState =
  | 'waiting'
  | 'cached'
  | 'would-run'
  | 'running'
  | 'finished'
  | 'failed'
  | 'blocked'
  | 'interrupted';

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
  metrics: Record<string, MetricValue>;
  failure: { code: string; text: string; logFile: string; logTail: readonly string[] } | null;
  blockedBy: readonly string[];
  /** What it touched without declaring it, if it was traced. */
  /** Its job on a cluster; null if it has none. */
  job: Extract<RunEvent, { kind: 'job' }> | null;
  trace: Pick<Extract<RunEvent, { kind: 'traced' }>, 'undeclared' | 'yaml'> | null;
}

export interface RunState {
  readonly instances: Map<string, InstanceView>;
  outcome: 'ok' | 'failed' | 'interrupted' | null;
  seconds: number;
  /** Of a dry run. */
  expected: ExpectedTotal | null;
}

export function createRunState(): RunState {
  return { instances: new Map(), outcome: null, seconds: 0, expected: null };
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
    metrics: {},
    failure: null,
    blockedBy: [],
    job: null,
    trace: null,
  };
}

/** Updates the state for an event that occurred at `nowMs`. */
export function applyEvent(state: RunState, event: RunEvent, nowMs: number): void {
  if (event.kind === 'run-started') {
    for (const id of event.ids) state.instances.set(id, newInstance(id));
    return;
  }
  if (event.kind === 'run-finished') {
    state.outcome = event.outcome;
    // Stopped while its results were being fetched.
    for (const one of state.instances.values()) if (one.state === 'running') one.state = 'waiting';
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
      break;
    case 'would-run':
      instance.state = 'would-run';
      instance.expected = event.expected;
      instance.reasons = event.reasons;
      break;
    case 'started':
      instance.state = 'running';
      instance.reasons = event.reasons;
      if (instance.job?.elapsedSeconds == null) instance.startedMs = nowMs;
      break;
    case 'progress':
      // Its results are being fetched.
      if (instance.state === 'waiting') {
        instance.state = 'running';
        instance.startedMs = nowMs;
      }
      instance.progress = event.progress;
      break;
    case 'metrics':
      Object.assign(instance.metrics, event.values);
      break;
    case 'finished':
      instance.state = 'finished';
      instance.seconds = event.seconds;
      instance.metrics = { ...event.metrics };
      break;
    case 'failed': {
      instance.state = 'failed';
      instance.seconds = event.seconds;
      const { code, text, logFile, logTail } = event;
      instance.failure = { code, text, logFile, logTail };
      break;
    }
    case 'blocked':
      instance.state = 'blocked';
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
      // It may have run for hours before this runner came to watch.
      if (event.elapsedSeconds !== null) instance.startedMs = nowMs - event.elapsedSeconds * 1000;
      break;
    case 'note':
      break;
  }
}

export function idsIn(state: RunState, wanted: InstanceState): string[] {
  return [...state.instances.values()].filter((one) => one.state === wanted).map((one) => one.id);
}

/** What waits in the queue of a cluster. */
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
