import { setImmediate } from 'node:timers/promises';
import { durationOf } from './cache/duration.ts';
import type { Records, RunRecord } from './cache/records.ts';
import { type SchedulerOptions, schedule } from './execution/scheduler.ts';
import type { Plan, StageInstance } from './plan.ts';

/** How long an instance is expected to run. */
export interface ExpectedTime {
  readonly seconds: number;
  /** Its own earlier run, or the average of other instances of its stage. */
  readonly from: 'own-run' | 'same-stage';
}

/** How long a whole run is expected to take. */
export interface ExpectedTotal {
  /** With as many stages at once as there may be; instances without an expectation count nothing. */
  readonly seconds: number;
  /** Instances without an expectation: if there are any, the run takes longer. */
  readonly unknown: number;
}

/**
 * Expects runs to take as long as earlier ones of the same profile: those of another profile work on other data, and say nothing
 * about this one.
 */
export class ExpectedTimes {
  readonly #plan: Plan;
  readonly #records: Records;
  #earlier: EarlierRuns | null = null;

  constructor(plan: Plan, records: Records) {
    this.#plan = plan;
    this.#records = records;
  }

  /** null without an earlier run. */
  find({ id, stage }: StageInstance): ExpectedTime | null {
    const last = this.#records.findLast(id);
    if (last?.profile === this.#plan.profile) return { seconds: durationOf(last), from: 'own-run' };
    this.#earlier ??= collectRuns(this.#records.listActions(), this.#plan.profile);
    const own = this.#earlier.latest.get(id);
    if (own !== undefined) return { seconds: durationOf(own), from: 'own-run' };
    const others = this.#earlier.stages.get(stage);
    return others === undefined ? null : { seconds: others.seconds / others.count, from: 'same-stage' };
  }
}

interface EarlierRuns {
  /** By instance. */
  readonly latest: ReadonlyMap<string, RunRecord>;
  readonly stages: ReadonlyMap<string, { seconds: number; count: number }>;
}

function collectRuns(records: readonly RunRecord[], profile: string): EarlierRuns {
  const latest = new Map<string, RunRecord>();
  const stages = new Map<string, { seconds: number; count: number }>();
  for (const record of records) {
    if (record.profile !== profile) continue;
    const known = latest.get(record.id);
    if (known === undefined || known.startedAt < record.startedAt) latest.set(record.id, record);
    const sum = stages.get(record.stage) ?? { seconds: 0, count: 0 };
    sum.seconds += durationOf(record);
    sum.count += 1;
    stages.set(record.stage, sum);
  }
  return { latest, stages };
}

/**
 * How long a run would take: the scheduler itself decides what runs when, on a clock that jumps to the next end.
 *
 * @param secondsOf of an instance that has to run; 0 if unknown; null if it need not run
 */
export async function expectDuration(
  options: Pick<SchedulerOptions, 'ids' | 'dependenciesOf' | 'resourcesOf' | 'jobs' | 'machine'>,
  secondsOf: (id: string) => number | null,
): Promise<number> {
  let nowSeconds = 0;
  let isDone = false;
  const running: { readonly endSeconds: number; readonly end: () => void }[] = [];
  const scheduled = schedule({
    ...options,
    secondsOf: (id) => secondsOf(id) || null,
    signal: new AbortController().signal,
    onBlocked: () => {},
    prepare: async (id) => {
      const seconds = secondsOf(id);
      if (seconds === null) return 'hit';
      return () =>
        new Promise((resolve) => {
          running.push({ endSeconds: nowSeconds + seconds, end: () => resolve('done') });
        });
    },
  }).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    // Nothing here waits for anything but promises, so by now the scheduler has started all that can start.
    await setImmediate();
    const [next] = running.sort((a, b) => a.endSeconds - b.endSeconds);
    if (next === undefined) continue;
    running.shift();
    nowSeconds = next.endSeconds;
    next.end();
  }
  await scheduled;
  return nowSeconds;
}
