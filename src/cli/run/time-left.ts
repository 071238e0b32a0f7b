import process from 'node:process';
import { FactFinder, type Facts } from '../../runner/freshness/fingerprint.ts';
import { instanceOf } from '../../runner/plan/graph.ts';
import type { Plan } from '../../runner/plan/plan.ts';
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
 * ones by earlier runs, which includes those that this run has finished.
 *
 * @returns to be called while stages run; most calls do nothing
 */
export function followTimeLeft(
  plan: Plan,
  state: RunState,
  { facts, jobs, gpus }: { readonly facts: Facts; readonly jobs: number; readonly gpus?: readonly string[] },
): (nowMs: number) => void {
  const finder = new FactFinder(facts, plan.projectRoot, process.env);
  let known: { readonly times: ExpectedTimes; readonly finished: number } | null = null;
  let nextMs = 0;

  /** null if nothing is known. */
  const findLeft = async (
    times: ExpectedTimes,
    view: InstanceView,
    nowMs: number,
  ): Promise<number | null> => {
    const own = secondsLeftOf(view, nowMs);
    if (own !== null) return own;
    const instance = instanceOf(plan, view.id);
    // Those of the machine, such as the engine.
    const names = instance.facts.filter((name) => facts[name] !== undefined);
    const found = await finder.find({ ...instance, facts: names, tools: [] });
    const whole = times.find(instance, { facts: found, inputs: [] })?.seconds;
    const ranSeconds = view.state === 'running' ? (nowMs - view.startedMs) / 1000 : 0;
    return whole === undefined ? null : Math.max(0, whole - ranSeconds);
  };

  const update = async (nowMs: number): Promise<void> => {
    const finished = state.listIn('finished').length;
    if (known?.finished !== finished) {
      known = { times: new ExpectedTimes(plan, openRecords(plan), facts), finished };
    }
    const seconds = new Map<string, number | null>();
    for (const view of [...state.listIn('waiting'), ...state.listIn('running')]) {
      seconds.set(view.id, await findLeft(known.times, view, nowMs));
    }
    const ids = [...plan.instances.keys()].filter((id) => seconds.has(id));
    const duration = await expectDuration(
      {
        ids,
        dependenciesOf: (id) => (plan.dependencies.get(id) ?? []).filter((one) => seconds.has(one)),
        resourcesOf: (id) => instanceOf(plan, id).resources,
        jobs,
        // Looking for GPUs takes a second and hardly changes the estimate.
        machine: measureMachine([], { gpus }),
      },
      (id) => seconds.get(id) ?? 0,
    );
    const unknown = [...seconds.values()].filter((one) => one === null).length;
    state.left = unknown === ids.length ? null : { seconds: duration, unknown, atMs: nowMs };
  };

  return (nowMs) => {
    if (nowMs < nextMs) return;
    nextMs = Number.POSITIVE_INFINITY;
    void update(nowMs)
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
