import type { Facts } from '../../runner/freshness/fingerprint.ts';
import { instanceOf } from '../../runner/plan/graph.ts';
import type { Plan, StageInstance } from '../../runner/plan/plan.ts';
import { ExpectedTimes, expectDuration } from '../../runner/run/expected-time.ts';
import { measureMachine } from '../../runner/run/machine.ts';
import { openRecords } from '../../runner/store/records.ts';
import { type InstanceView, type RunState, secondsLeftOf } from '../view/run-state.ts';

/** Between updates, the view counts down. */
const updateMs = 2000;
/** Updates take at most a twentieth of the runner's time, even with thousands of records. */
const pauseFactor = 20;

type TimeLeftOptions = { readonly facts: Facts; readonly jobs: number; readonly gpus?: readonly string[] };

/**
 * Keeps `state.left` up to date: how long a run on this machine still takes. Running stages are judged by their own progress, waiting
 * ones by earlier runs, else by others of their stage in this run.
 */
export class TimeLeft {
  readonly #plan: Plan;
  readonly #state: RunState;
  readonly #options: TimeLeftOptions;
  readonly #knownFacts = new Map<string, Readonly<Record<string, string>>>();
  #nextMs = 0;
  #isBusy = false;

  constructor(plan: Plan, state: RunState, options: TimeLeftOptions) {
    this.#plan = plan;
    this.#state = state;
    this.#options = options;
  }

  /** To be called while stages run; most calls do nothing. */
  follow(nowMs: number): void {
    if (this.#isBusy || nowMs < this.#nextMs) return;
    this.#isBusy = true;
    this.#update(nowMs)
      // For example a fact that cannot be determined: its own stage fails with a message, but an estimate must not stop the others.
      .catch(() => {
        this.#state.left = null;
      })
      .finally(() => {
        const endMs = Date.now();
        this.#nextMs = endMs + Math.max(updateMs, pauseFactor * (endMs - nowMs));
        this.#isBusy = false;
      });
  }

  async #update(nowMs: number): Promise<void> {
    const { facts, jobs, gpus } = this.#options;
    const times = new ExpectedTimes(this.#plan, openRecords(this.#plan), facts);
    const seconds = new Map<string, number | null>();
    for (const view of this.#state.instances.values()) {
      const instance = this.#plan.instances.get(view.id);
      if (instance === undefined || (view.state !== 'waiting' && view.state !== 'running')) continue;
      seconds.set(view.id, await this.#secondsLeft(times, view, instance, nowMs));
    }
    const ids = [...seconds.keys()];
    const duration = await expectDuration(
      {
        ids,
        dependenciesOf: (id) => (this.#plan.dependencies.get(id) ?? []).filter((one) => seconds.has(one)),
        resourcesOf: (id) => instanceOf(this.#plan, id).resources,
        jobs,
        // Looking for GPUs takes a second and hardly changes the estimate.
        machine: await measureMachine([], { gpus }),
      },
      (id) => seconds.get(id) ?? 0,
    );
    const unknown = [...seconds.values()].filter((one) => one === null).length;
    this.#state.left = unknown === ids.length ? null : { seconds: duration, unknown, atMs: nowMs };
  }

  /** By its own progress, else by earlier runs, else by others of its stage in this one; null if nothing is known. */
  async #secondsLeft(
    times: ExpectedTimes,
    view: InstanceView,
    instance: StageInstance,
    nowMs: number,
  ): Promise<number | null> {
    const isRunning = view.state === 'running';
    const own = isRunning ? secondsLeftOf(view, nowMs) : null;
    if (own !== null) return own;
    const earlier = times.find(instance, { facts: await this.#factsOf(instance), inputs: [] });
    const whole = earlier?.seconds ?? this.#secondsOfOthers(instance, nowMs);
    if (whole === null || !isRunning) return whole;
    return Math.max(0, whole - (nowMs - view.startedMs) / 1000);
  }

  async #factsOf({ id, facts, params }: StageInstance): Promise<Readonly<Record<string, string>>> {
    const known = this.#knownFacts.get(id);
    if (known !== undefined) return known;
    const found: Record<string, string> = {};
    for (const name of facts) {
      const value = await this.#options.facts[name]?.(params);
      if (value !== undefined) found[name] = value;
    }
    this.#knownFacts.set(id, found);
    return found;
  }

  /** What other instances of its stage take in this run, on average. */
  #secondsOfOthers({ stage }: StageInstance, nowMs: number): number | null {
    const known = [...this.#state.instances.values()].flatMap((view) => {
      if (this.#plan.instances.get(view.id)?.stage !== stage) return [];
      if (view.state === 'finished') return [view.seconds];
      const left = view.state === 'running' ? secondsLeftOf(view, nowMs) : null;
      return left === null ? [] : [left + (nowMs - view.startedMs) / 1000];
    });
    return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length;
  }
}
