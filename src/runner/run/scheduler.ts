import type { Resources } from '../plan/plan.ts';
import { SmallestFirst } from '../plan/smallest-first.ts';
import type { MachineResources } from './machine.ts';
import { type Grant, Reservations } from './reservations.ts';

/** The result for one instance. `hit`: nothing had to run. */
export type InstanceResult = 'hit' | 'done' | 'failed' | 'interrupted';

/** So many prepared instances are enough to choose from; each takes memory until it runs. */
const readyAtMost = 256;

type RunInstance = (grant: Grant) => Promise<InstanceResult>;

type Prepared = InstanceResult | RunInstance;

/** `pending`: it takes a while without using the machine, and nothing else has to wait for it. */
export type Preparing = Prepared | { readonly pending: Promise<Prepared> };

/** Each transfers several files at once. */
const transfersAtMost = 4;

export interface SchedulerOptions {
  /** Each after those it depends on. */
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
 * has runs alone. Of those that could start, the first in the list does. Dependents of a failed instance are blocked. After an abort nothing starts. It settles only once nothing is
 * under way any more, even if something throws.
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
  /** The place of each in the list. */
  readonly #ranks: ReadonlyMap<string, number>;
  /** Ranks of the instances whose dependencies are all done. */
  readonly #preparable = new SmallestFirst();
  /** What has to run, by rank. */
  readonly #ready: { readonly id: string; readonly run: RunInstance }[] = [];
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
      if (dependencies.length === 0) this.#preparable.add(this.#rankOf(id));
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
      const next = this.#preparable.first;
      // What comes before it in rank may start; the others wait until it is known how many share the cores.
      this.#startWhatFits(next);
      if (this.#isOver) break;
      const isEnough = this.#reservations.isFull && this.#ready.length >= readyAtMost;
      if (next === undefined || isEnough || this.#pending.size >= transfersAtMost) {
        if (this.#underWay.length === 0) break;
        await Promise.race(this.#underWay);
        continue;
      }
      this.#preparable.take();
      const id = this.#options.ids[next] ?? '';
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
    if (typeof prepared === 'function') this.#addReady(id, prepared);
    else this.#settle(id, prepared);
  }

  get #isOver(): boolean {
    return this.#options.signal.aborted || (this.#hasFailed && this.#options.failFast === true);
  }

  #addReady(id: string, run: RunInstance): void {
    const position = this.#ready.findLastIndex((one) => this.#rankOf(one.id) < this.#rankOf(id)) + 1;
    this.#ready.splice(position, 0, { id, run });
    if (this.#isSharer(id)) this.#sharers += 1;
  }

  /** @param before only what has a smaller rank and does not share the cores; undefined: everything */
  #startWhatFits(before?: number): void {
    for (let i = 0; i < this.#ready.length && !this.#isOver; ) {
      const { id, run } = this.#ready[i]!;
      if (before !== undefined && this.#rankOf(id) > before) return;
      const grant =
        before !== undefined && this.#isSharer(id)
          ? null
          : this.#reservations.take(id, this.#options.resourcesOf(id), this.#sharers);
      if (grant === null) {
        i += 1;
        continue;
      }
      this.#ready.splice(i, 1);
      track(this.#running, id, this.#follow(id, run(grant)));
    }
  }

  async #follow(id: string, running: Promise<InstanceResult>): Promise<void> {
    const result = await running;
    this.#running.delete(id);
    this.#reservations.release(id);
    if (this.#isSharer(id)) this.#sharers -= 1;
    this.#settle(id, result);
    // Otherwise the loop does, which first prepares what may come before it in rank. Hashing a large input should idle nothing.
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
          this.#preparable.add(this.#rankOf(dependent));
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

  #rankOf(id: string): number {
    return this.#ranks.get(id) ?? 0;
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
