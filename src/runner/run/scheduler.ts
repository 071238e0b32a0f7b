import type { Resources } from '../plan/plan.ts';
import type { MachineResources } from './machine.ts';

export type InstanceResult = 'hit' | 'done' | 'failed' | 'interrupted';

type RunInstance = (grant: Grant) => Promise<InstanceResult>;

type Prepared = InstanceResult | RunInstance;

/** `pending`: it takes a while without using the machine, and nothing else has to wait for it. */
type Preparing = Prepared | { readonly pending: Promise<Prepared> };

/** Each transfers several files at once. */
const transfersAtMost = 4;

export interface SchedulerOptions {
  readonly ids: readonly string[];
  readonly dependenciesOf: (id: string) => readonly string[];
  readonly resourcesOf: (id: string) => Resources;
  readonly jobs: number;
  /** After a failure nothing starts; otherwise everything that does not depend on it still runs. */
  readonly failFast?: boolean;
  readonly machine: MachineResources;
  readonly signal: AbortSignal;
  /** Called if the run cannot continue: asks all running instances to end. */
  readonly halt?: () => void;
  /** Called when everything it depends on is done: settles an instance that need not run, or says how to run it. */
  readonly prepare: (id: string) => Promise<Preparing>;
  readonly onBlocked: (id: string, by: readonly string[]) => void;
}

/**
 * Runs a graph: at most `jobs` instances at once, within the machine's resources; one that asks for more cores or memory than the machine
 * has runs alone. Of those that could start, the first in the list does. Dependents of a failed instance are blocked. After an abort nothing
 * starts. It settles only once nothing is under way any more, even if something throws.
 *
 * @throws {unknown} what an instance's preparation or run throws
 */
export function schedule(options: SchedulerOptions): Promise<ReadonlyMap<string, InstanceResult>> {
  return new Scheduling(options).run();
}

class Scheduling {
  readonly #options: SchedulerOptions;
  readonly #reservations: Reservations;
  readonly #results = new Map<string, InstanceResult>();
  readonly #blockedBy = new Map<string, readonly string[]>();
  readonly #dependents = new Map<string, string[]>();
  /** For each instance that is not settled, how many of its dependencies are not. */
  readonly #missing = new Map<string, number>();
  readonly #ranks: ReadonlyMap<string, number>;
  /** Ids of the instances whose dependencies are all done, by rank. */
  readonly #preparable: string[] = [];
  /** Ids of those that have to run, by rank. */
  readonly #ready: string[] = [];
  readonly #runs = new Map<string, RunInstance>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #pending = new Map<string, Promise<void>>();
  #sharers = 0;
  #isPreparing = false;
  #hasFailed = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#reservations = new Reservations(options.machine, options.jobs);
    this.#ranks = new Map(options.ids.map((id, index) => [id, index]));
    for (const id of options.ids) {
      const dependencies = this.#dependenciesOf(id);
      this.#missing.set(id, dependencies.length);
      for (const one of dependencies) {
        const known = this.#dependents.get(one);
        if (known === undefined) this.#dependents.set(one, [id]);
        else known.push(id);
      }
      if (dependencies.length === 0) this.#preparable.push(id);
    }
  }

  async run(): Promise<ReadonlyMap<string, InstanceResult>> {
    try {
      await this.#runAll();
    } catch (error) {
      this.#isPreparing = false;
      this.#options.halt?.();
      await Promise.allSettled(this.#underWay);
      throw error;
    }
    return this.#results;
  }

  async #runAll(): Promise<void> {
    while (!this.#isOver) {
      const id = this.#pending.size < transfersAtMost ? this.#preparable.shift() : undefined;
      if (id === undefined) {
        // Only now is it known how many share the cores.
        this.#startWhatFits();
        if (this.#underWay.length === 0) break;
        await Promise.race(this.#underWay);
        continue;
      }
      this.#isPreparing = true;
      const prepared = await this.#options.prepare(id);
      this.#isPreparing = false;
      if (typeof prepared === 'object') track(this.#pending, id, this.#followPending(id, prepared.pending));
      else this.#note(id, prepared);
    }
    while (this.#underWay.length > 0) await Promise.all(this.#underWay);
  }

  get #underWay(): readonly Promise<void>[] {
    return [...this.#running.values(), ...this.#pending.values()];
  }

  async #followPending(id: string, pending: Promise<Prepared>): Promise<void> {
    const prepared = await pending;
    this.#pending.delete(id);
    this.#note(id, prepared);
    // As at the end of a run.
    if (this.#isPreparing) this.#startWhatFits();
  }

  #note(id: string, prepared: Prepared): void {
    if (typeof prepared === 'function') {
      this.#runs.set(id, prepared);
      this.#insert(this.#ready, id);
      if (this.#isSharer(id)) this.#sharers += 1;
    } else this.#settle(id, prepared);
  }

  get #isOver(): boolean {
    return this.#options.signal.aborted || (this.#hasFailed && this.#options.failFast === true);
  }

  #startWhatFits(): void {
    for (let i = 0; i < this.#ready.length && !this.#isOver; ) {
      const id = this.#ready[i] ?? '';
      const run = this.#runs.get(id);
      const grant = this.#reservations.take(id, this.#options.resourcesOf(id), this.#sharers);
      if (grant === null || run === undefined) {
        i += 1;
        continue;
      }
      this.#ready.splice(i, 1);
      this.#runs.delete(id);
      track(this.#running, id, this.#follow(id, run(grant)));
    }
  }

  async #follow(id: string, running: Promise<InstanceResult>): Promise<void> {
    const result = await running;
    this.#running.delete(id);
    this.#reservations.release(id);
    if (this.#isSharer(id)) this.#sharers -= 1;
    this.#settle(id, result);
    // Otherwise the loop does. Hashing a large input should idle nothing.
    if (this.#isPreparing) this.#startWhatFits();
  }

  #settle(first: string, result: InstanceResult): void {
    this.#results.set(first, result);
    this.#hasFailed ||= result === 'failed';
    const settled = [first];
    for (let id = settled.pop(); id !== undefined; id = settled.pop()) {
      for (const dependent of this.#dependents.get(id) ?? []) {
        const missing = (this.#missing.get(dependent) ?? 0) - 1;
        this.#missing.set(dependent, missing);
        // Only once all are settled, so that every failure can be named.
        if (missing > 0) continue;
        const by = this.#hasFailed ? this.#failuresBehind(dependent) : [];
        if (by.length > 0) {
          this.#blockedBy.set(dependent, by);
          this.#options.onBlocked(dependent, by);
          settled.push(dependent);
        } else if (this.#dependenciesOf(dependent).every((one) => isDone(this.#results.get(one)))) {
          this.#insert(this.#preparable, dependent);
        }
      }
    }
  }

  #failuresBehind(id: string): string[] {
    const roots = this.#dependenciesOf(id).flatMap((one) =>
      this.#results.get(one) === 'failed' ? [one] : (this.#blockedBy.get(one) ?? []),
    );
    return [...new Set(roots)];
  }

  #dependenciesOf(id: string): string[] {
    return this.#options.dependenciesOf(id).filter((one) => this.#ranks.has(one));
  }

  #insert(sorted: string[], id: string): void {
    const rankOf = (one: string): number => this.#ranks.get(one) ?? 0;
    sorted.splice(sorted.findLastIndex((one) => rankOf(one) < rankOf(id)) + 1, 0, id);
  }

  #isSharer(id: string): boolean {
    return this.#options.resourcesOf(id).cpu === 'share';
  }
}

function track(underWay: Map<string, Promise<void>>, id: string, promise: Promise<void>): void {
  underWay.set(id, promise);
  // The error is seen when this is awaited, maybe only later.
  promise.catch(() => {});
}

function isDone(result: InstanceResult | undefined): boolean {
  return result === 'hit' || result === 'done';
}

export interface Grant {
  readonly cpus: number;
  readonly gpus: readonly string[];
}

interface Reservation {
  readonly grant: Grant;
  readonly memoryBytes: number;
}

/**
 * Who uses what of the machine. At most `jobs` instances hold something; what asks for more cores or memory than there are runs alone,
 * and what asks for more GPUs gets all of them. What asks for 0 cores runs on another machine, and takes nothing here.
 */
class Reservations {
  readonly #machine: MachineResources;
  readonly #jobs: number;
  readonly #held = new Map<string, Reservation>();
  #freeGpus: readonly string[];
  #cpus = 0;
  #memoryBytes = 0;

  constructor(machine: MachineResources, jobs: number) {
    this.#machine = machine;
    this.#jobs = jobs;
    this.#freeGpus = machine.gpus;
  }

  #countHere(): number {
    return [...this.#held.values()].filter(({ grant }) => grant.cpus > 0).length;
  }

  /**
   * Reserves what an instance asks for; null if it has to wait.
   *
   * @param sharers how many instances that share the cores could run now or are running
   */
  take(id: string, wanted: Resources, sharers: number): Grant | null {
    if (wanted.cpu !== 0 && this.#countHere() >= this.#jobs) return null;
    const gpuCount = Math.min(wanted.gpu, this.#machine.gpus.length);
    if (gpuCount > this.#freeGpus.length) return null;
    const cpus = wanted.cpu === 'share' ? this.#partOf(wanted, sharers) : wanted.cpu;
    const fits =
      this.#cpus + cpus <= this.#machine.cpu &&
      this.#memoryBytes + wanted.memoryBytes <= this.#machine.memoryBytes;
    if (wanted.cpu !== 0 && !fits && this.#countHere() > 0) return null;

    const grant = { cpus, gpus: this.#freeGpus.slice(0, gpuCount) };
    this.#held.set(id, { grant, memoryBytes: wanted.memoryBytes });
    this.#freeGpus = this.#freeGpus.slice(gpuCount);
    this.#cpus += cpus;
    this.#memoryBytes += wanted.memoryBytes;
    return grant;
  }

  release(id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    this.#held.delete(id);
    const free = new Set([...this.#freeGpus, ...held.grant.gpus]);
    // In the machine's order, so that the first ones are used first.
    this.#freeGpus = this.#machine.gpus.filter((gpu) => free.has(gpu));
    this.#cpus -= held.grant.cpus;
    this.#memoryBytes -= held.memoryBytes;
  }

  /** Equal parts of the cores, but no more than others leave. */
  #partOf(wanted: Resources, sharers: number): number {
    const { cpus } = shareCores(this.#machine, wanted, Math.min(sharers, this.#jobs));
    return Math.max(1, Math.min(cpus, this.#machine.cpu - this.#cpus));
  }
}

/**
 * How many of some instances that share the cores run at once, as far as memory allows, and with how many cores each.
 *
 * @param sharers how many there are
 */
export function shareCores(
  { cpu, memoryBytes }: MachineResources,
  wanted: Pick<Resources, 'memoryBytes'>,
  sharers: number,
): { readonly atOnce: number; readonly cpus: number } {
  const inMemory = wanted.memoryBytes > 0 ? Math.floor(memoryBytes / wanted.memoryBytes) : sharers;
  const atOnce = Math.max(1, Math.min(sharers, inMemory));
  return { atOnce, cpus: Math.max(1, Math.floor(cpu / atOnce)) };
}
