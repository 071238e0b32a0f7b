import fs from 'node:fs/promises';
import path from 'node:path';
import { makersOf } from '../plan/makers.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { RunRecord } from '../store/records.ts';
import {
  type InputOrigin,
  isConsistent,
  isSameLock,
  listLockFiles,
  lockFileOf,
  lockPathOf,
  readLockFile,
  writeLockFile,
} from './lock-file.ts';

/** Keeps the committed records of a profile in step with its runs. */
export class LockWriter {
  readonly #plan: Plan;
  readonly #recordOf: (id: string) => RunRecord | null;
  readonly #written: string[] = [];
  #last: Promise<void> = Promise.resolve();

  /** @param recordOf the record of an instance's present outputs */
  constructor(plan: Plan, recordOf: (id: string) => RunRecord | null) {
    this.#plan = plan;
    this.#recordOf = recordOf;
  }

  /** Writes the record of an instance, unless it is there already. */
  update(instance: StageInstance): void {
    // One after the other: `settle` reports the first failure.
    this.#last = this.#last.then(() => this.#update(instance));
    this.#last.catch(() => {});
  }

  /** Removes the records of instances that the plan no longer has. */
  async prune(): Promise<string[]> {
    const wanted = new Set([...this.#plan.instances.values()].map((one) => lockPathOf(this.#plan, one)));
    const orphans = listLockFiles(this.#plan).filter((file) => !wanted.has(file));
    for (const file of orphans) await fs.rm(path.join(this.#plan.projectRoot, file), { force: true });
    return orphans;
  }

  /**
   * Waits for everything noted so far.
   *
   * @returns the records written, relative to the project
   */
  async settle(): Promise<readonly string[]> {
    await this.#last;
    return this.#written;
  }

  async #update(instance: StageInstance): Promise<void> {
    const record = this.#recordOf(instance.id);
    if (record === null) return;
    const content = lockFileOf(this.#plan, record, this.#originsOf(instance));
    const present = readLockFile(this.#plan, instance);
    if (present !== null && isConsistent(present) && isSameLock(present, content)) return;
    await writeLockFile(this.#plan, instance, content);
    this.#written.push(lockPathOf(this.#plan, instance));
  }

  #originsOf(instance: StageInstance): Record<string, InputOrigin> {
    const origins: Record<string, InputOrigin> = {};
    for (const input of instance.inputs) {
      const { part: maker } = makersOf(this.#plan, instance, input.path);
      if (maker === null) continue;
      const output = this.#recordOf(maker.id)?.outputs.find((one) => one.path === maker.output);
      if (output !== undefined) origins[input.path] = { output: output.path, digest: output.digest };
    }
    return origins;
  }
}
