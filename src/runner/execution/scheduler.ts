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
  /** Called when everything it depends on is done: settles an instance that need not run, or says how to run it on so many cores. */
  readonly prepare: (id: string) => Promise<InstanceResult | ((cpus: number) => Promise<InstanceResult>)>;
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
  const ready: { id: string; run: (cpus: number) => Promise<InstanceResult> }[] = [];
  const running = new Map<string, Running>();

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

  const isSharer = (id: string): boolean => options.resourcesOf(id).cpu === 'share';
  const startWhatFits = ({ sharersToo = true } = {}): void => {
    const sharers = [...ready.map(({ id }) => id), ...running.keys()].filter(isSharer).length;
    for (let i = 0; i < ready.length && !options.signal.aborted; ) {
      const next = ready[i];
      const cpus = next === undefined ? 0 : grantCpus(next.id, running, sharers, options);
      if (
        next === undefined ||
        (isSharer(next.id) && !sharersToo) ||
        !fits(next.id, cpus, running, options)
      ) {
        i += 1;
        continue;
      }
      ready.splice(i, 1);
      const promise = next.run(cpus).then((result) => {
        results.set(next.id, result);
        running.delete(next.id);
        startWhatFits();
      });
      running.set(next.id, { cpus, promise });
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
        // The others wait until it is known how many share the cores.
        startWhatFits({ sharersToo: false });
      } else {
        results.set(id, prepared);
      }
    }
    startWhatFits();
    if (hasProgressed) continue;
    if (running.size === 0) break;
    await Promise.race([...running.values()].map(({ promise }) => promise));
  }
  while (running.size > 0) await Promise.all([...running.values()].map(({ promise }) => promise));
  return results;
}

interface Running {
  readonly cpus: number;
  readonly promise: Promise<void>;
}

/**
 * The cores for an instance if it starts now. Those that share get equal parts, of which there are as many as can run at once, but no
 * more than others leave.
 *
 * @param sharers how many instances that share are ready or running
 */
function grantCpus(
  id: string,
  running: ReadonlyMap<string, Running>,
  sharers: number,
  { resourcesOf, machine, jobs }: SchedulerOptions,
): number {
  const { cpu, memoryBytes } = resourcesOf(id);
  if (cpu !== 'share') return cpu;
  const inMemory = memoryBytes > 0 ? Math.floor(machine.memoryBytes / memoryBytes) : sharers;
  const parts = Math.max(1, Math.min(sharers, jobs, inMemory));
  const free = machine.cpu - sumOf([...running.values()].map(({ cpus }) => cpus));
  return Math.max(1, Math.min(Math.floor(machine.cpu / parts), free));
}

function fits(
  id: string,
  cpus: number,
  running: ReadonlyMap<string, Running>,
  { resourcesOf, machine, jobs }: SchedulerOptions,
): boolean {
  if (running.size === 0) return true;
  if (running.size >= jobs) return false;
  if (sumOf([cpus, ...[...running.values()].map((one) => one.cpus)]) > machine.cpu) return false;
  const all = [id, ...running.keys()].map(resourcesOf);
  return (['memoryBytes', 'gpu'] as const).every(
    (kind) => sumOf(all.map((one) => one[kind])) <= machine[kind],
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
