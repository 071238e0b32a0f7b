import fs from 'node:fs/promises';
import path from 'node:path';
import { acquireLock, type Lock } from '../../../files/lock.ts';
import type { Facts } from '../../freshness/fingerprint.ts';
import type { Plan, StageInstance } from '../../plan/plan.ts';
import type { RunEvent } from '../../run/events.ts';
import { type RunOutcome, runPlan } from '../../run/run.ts';
import { type CacheFolder, cacheFolderOf, fileNameOf } from '../../store/cache-folder.ts';
import { Records, type RunRecord } from '../../store/records.ts';
import { Store } from '../../store/store.ts';

/** Everything that an audit writes; relative to the project. The runner's own folder beside it stays untouched. */
export const auditFolder = 'artifacts/.audit';

export interface ScratchOptions {
  readonly facts: Facts;
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly killSignal?: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Runs instances from scratch, as often as wanted, on the inputs that are in place, with outputs in a folder of their own. */
export class ScratchRuns {
  readonly #plan: Plan;
  readonly #options: ScratchOptions;
  readonly #folder: CacheFolder;
  readonly #lock: Lock;
  readonly store: Store;

  private constructor(plan: Plan, options: ScratchOptions, lock: Lock) {
    this.#plan = plan;
    this.#options = options;
    this.#folder = cacheFolderOf(plan, path.join(plan.projectRoot, auditFolder));
    this.#lock = lock;
    this.store = new Store(this.#folder.store);
  }

  /** @throws {ReproError} `locked` if a run holds the folder: it could replace the inputs meanwhile */
  static async open(plan: Plan, options: ScratchOptions): Promise<ScratchRuns> {
    const cache = cacheFolderOf(plan);
    const lock = await acquireLock(cache.lock);
    const runs = new ScratchRuns(plan, options, lock);
    try {
      await fs.rm(runs.#folder.root, { recursive: true, force: true });
      await fs.mkdir(runs.#folder.root, { recursive: true });
    } catch (error) {
      await lock.release();
      throw error;
    }
    // Hashes of inputs that are known already: reading a data set again would tell nothing.
    await fs.copyFile(cache.digests, runs.#folder.digests).catch(() => {});
    return runs;
  }

  /** Runs an instance once. `record` is null unless it succeeded; its outputs are below `artifacts/.audit/<id>/<number>`. */
  async run(
    instance: StageInstance,
    number: number,
  ): Promise<{ outcome: RunOutcome; record: RunRecord | null }> {
    const place = (kind: string, at: number, one: string): string =>
      path.posix.join(
        auditFolder,
        `run-${number}`,
        fileNameOf(instance.id),
        `${kind}-${at}`,
        path.posix.basename(one),
      );
    const moved: StageInstance = {
      ...instance,
      outputs: instance.outputs.map((one, at) => place('output', at, one)),
      resume: instance.resume.map((one, at) => place('resume', at, one)),
    };
    const { facts, jobs, signal, killSignal, onEvent, environment } = this.#options;
    const { outcome } = await runPlan({
      plan: { ...this.#plan, instances: new Map(this.#plan.instances).set(instance.id, moved) },
      selected: new Set([instance.id]),
      force: true,
      jobs,
      facts,
      signal,
      ...(killSignal === undefined ? {} : { killSignal }),
      ...(environment === undefined ? {} : { environment }),
      onEvent,
      cacheRoot: this.#folder.root,
    });
    const record = outcome === 'ok' ? new Records(this.#folder).findLast(instance.id) : null;
    return { outcome, record };
  }

  /** @param keep leaves the outputs for inspection; the next audit removes them */
  async close({ keep }: { keep: boolean }): Promise<void> {
    try {
      if (!keep) await fs.rm(this.#folder.root, { recursive: true, force: true });
    } finally {
      await this.#lock.release();
    }
  }
}
