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

/**
 * Keeps `state.left` up to date: how long a run on this machine still takes. Running stages are judged by their own progress, waiting
 * ones by earlier runs, else by others of their stage in this run.
 *
 * @returns to be called while stages run; most calls do nothing
 */
export function followTimeLeft(
  plan: Plan,
  state: RunState,
  options: { readonly facts: Facts; readonly jobs: number; readonly gpus?: readonly string[] },
): (nowMs: number) => void {
  const { facts, jobs, gpus } = options;
  const times = new ExpectedTimes(plan, openRecords(plan), facts);
  const earlier = new Map<string, number | null>();
  let nextMs = 0;

  const findEarlier = async (instance: StageInstance): Promise<number | null> => {
    const known: Record<string, string> = {};
    for (const name of instance.facts) {
      const value = await facts[name]?.(instance.params);
      if (value !== undefined) known[name] = value;
    }
    return times.find(instance, { facts: known, inputs: [] })?.seconds ?? null;
  };

  /** null if nothing is known. */
  const findLeft = async (view: InstanceView, nowMs: number): Promise<number | null> => {
    const ranSeconds = view.state === 'running' ? (nowMs - view.startedMs) / 1000 : 0;
    const own = view.state === 'running' ? secondsLeftOf(view, nowMs) : null;
    if (own !== null) return own;
    const instance = instanceOf(plan, view.id);
    const before = earlier.get(view.id) ?? (await findEarlier(instance));
    earlier.set(view.id, before);
    const whole = before ?? secondsOfOthers(plan, state, instance, nowMs);
    return whole === null ? null : Math.max(0, whole - ranSeconds);
  };

  const update = async (nowMs: number): Promise<void> => {
    const seconds = new Map<string, number | null>();
    for (const view of [...state.listIn('waiting'), ...state.listIn('running')]) {
      seconds.set(view.id, await findLeft(view, nowMs));
    }
    const ids = [...plan.instances.keys()].filter((id) => seconds.has(id));
    const duration = await expectDuration(
      {
        ids,
        dependenciesOf: (id) => (plan.dependencies.get(id) ?? []).filter((one) => seconds.has(one)),
        resourcesOf: (id) => instanceOf(plan, id).resources,
        jobs,
        // Looking for GPUs takes a second and hardly changes the estimate.
        machine: await measureMachine([], { gpus }),
      },
      (id) => seconds.get(id) ?? 0,
    );
    const unknown = [...seconds.values()].filter((one) => one === null).length;
    state.left = unknown === ids.length ? null : { seconds: duration, unknown, atMs: nowMs };
  };

  return (nowMs) => {
    if (nowMs < nextMs) return;
    nextMs = Number.POSITIVE_INFINITY;
    update(nowMs)
      // For example a fact that cannot be determined: its own stage fails with a message, but an estimate must not stop the others.
      .catch(() => {
        state.left = null;
      })
      .finally(() => {
        const endMs = Date.now();
        nextMs = endMs + Math.max(updateMs, pauseFactor * (endMs - nowMs));
      });
  };
}

/** What other instances of its stage take in this run, on average. */
function secondsOfOthers(
  plan: Plan,
  state: RunState,
  { stage }: StageInstance,
  nowMs: number,
): number | null {
  const known = [...state.instances.values()].flatMap((view) => {
    if (plan.instances.get(view.id)?.stage !== stage) return [];
    if (view.state === 'finished') return [view.seconds];
    const left = view.state === 'running' ? secondsLeftOf(view, nowMs) : null;
    return left === null ? [] : [left + (nowMs - view.startedMs) / 1000];
  });
  return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length;
}
