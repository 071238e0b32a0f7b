import type { Resources } from '../plan.ts';
import type { MachineResources } from './machine.ts';

/** The result for one instance. `hit`: nothing had to run. */
export type InstanceResult = 'hit' | 'done' | 'failed' | 'interrupted';

export interface SchedulerOptions {
  /** In start order, each after those it depends on. */
  readonly ids: readonly string[];
  readonly dependenciesOf: (id: string) => readonly string[];
  readonly resourcesOf: (id: string) => Resources;
  readonly jobs: number;
  readonly machine: MachineResources;
  readonly signal: AbortSignal;
  /** Called when everything it depends on is done: settles an instance that need not run, or says how to run it. */
  readonly prepare: (id: string) => Promise<InstanceResult | (() => Promise<InstanceResult>)>;
  readonly onBlocked: (id: string, by: readonly string[]) => void;
}

/**
 * Runs a graph: at most `jobs` instances at once, within the machine's resources; one that asks for more than the machine
 * has runs alone. Dependents of a failed instance are blocked; everything else continues. After an abort nothing starts.
 */
export async function schedule(options: SchedulerOptions): Promise<ReadonlyMap<string, InstanceResult>> {
  const results = new Map<string, InstanceResult>();
  const blockedBy = new Map<string, readonly string[]>();
  const waiting = new Set(options.ids);
  const known = new Set(options.ids);
  const ready: { id: string; run: () => Promise<InstanceResult> }[] = [];
  const running = new Map<string, Promise<void>>();

  const settleBlocked = (id: string): boolean => {
    const dependencies = options.dependenciesOf(id).filter((one) => known.has(one));
    // Only once all of them are settled, so that every failure can be named.
    if (!dependencies.every((one) => results.has(one) || blockedBy.has(one))) return false;
    const roots = dependencies.flatMap((one) =>
      results.get(one) === 'failed' ? [one] : (blockedBy.get(one) ?? []),
    );
    if (roots.length === 0) return false;
    const by = [...new Set(roots)];
    blockedBy.set(id, by);
    waiting.delete(id);
    options.onBlocked(id, by);
    return true;
  };
  const isReady = (id: string): boolean =>
    options.dependenciesOf(id).every((one) => {
      const result = results.get(one);
      return !known.has(one) || result === 'hit' || result === 'done';
    });

  const startWhatFits = (): void => {
    for (let i = 0; i < ready.length && !options.signal.aborted; ) {
      const next = ready[i];
      if (next === undefined || !fits(next.id, [...running.keys()], options)) {
        i += 1;
        continue;
      }
      ready.splice(i, 1);
      const promise = next.run().then((result) => {
        results.set(next.id, result);
        running.delete(next.id);
        startWhatFits();
      });
      running.set(next.id, promise);
    }
  };

  while (!options.signal.aborted) {
    let hasProgressed = false;
    // In topological order, so one pass settles a whole graph in which nothing has to run.
    for (const id of waiting) {
      if (options.signal.aborted) break;
      if (settleBlocked(id) || !isReady(id)) continue;
      waiting.delete(id);
      hasProgressed = true;
      const prepared = await options.prepare(id);
      if (typeof prepared === 'function') {
        ready.push({ id, run: prepared });
        startWhatFits();
      } else {
        results.set(id, prepared);
      }
    }
    startWhatFits();
    if (hasProgressed) continue;
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  while (running.size > 0) await Promise.all(running.values());
  return results;
}

function fits(id: string, running: readonly string[], options: SchedulerOptions): boolean {
  if (running.length === 0) return true;
  if (running.length >= options.jobs) return false;
  const all = [id, ...running].map(options.resourcesOf);
  return (['cpu', 'memoryBytes', 'gpu'] as const).every(
    (kind) => all.reduce((sum, one) => sum + one[kind], 0) <= options.machine[kind],
  );
}
