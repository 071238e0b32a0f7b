import { mkdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { type Batch, BatchFolder, type BatchTask, findOwner } from '../../src/runner/jobs/batch.ts';
import { type TaskEnd, writeTaskEnd } from '../../src/runner/jobs/task-end.ts';
import { type CacheFolder, cacheFolderOf } from '../../src/runner/store/cache-folder.ts';
import type { FingerprintParts } from '../../src/runner/store/fingerprint-parts.ts';

export const parts: FingerprintParts = {
  version: 1,
  command: { kind: 'command', argv: ['x'] },
  ...{ code: {}, packages: {}, params: {}, matrix: {}, outputs: [] },
  inputs: [],
  ...{ variables: {}, facts: {}, runtime: { platform: 'linux', arch: 'x64' } },
};

/** A cache folder with jobs that were submitted by an earlier command, of which no Slurm knows. */
export class JobsFolder {
  readonly cache: CacheFolder;
  #count = 0;

  private constructor(root: string) {
    this.cache = cacheFolderOf({ projectRoot: root }, root);
  }

  static async create(): Promise<JobsFolder> {
    const root = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-jobs-'));
    onTestFinished(() => fs.rm(root, { recursive: true, force: true }));
    return new JobsFolder(root);
  }

  /**
   * Adds a batch, later than those before.
   *
   * @param ids its tasks; several make an array
   */
  async add(
    ids: readonly string[],
    batch: Partial<Batch> = {},
    task: Partial<BatchTask> = {},
  ): Promise<BatchFolder> {
    this.#count += 1;
    const token = `token${this.#count}`;
    const folder = new BatchFolder(path.join(this.cache.jobs, token));
    for (const [index, id] of ids.entries()) {
      mkdirSync(folder.taskFolder(index), { recursive: true });
      await folder.writeTask(index, {
        id,
        parts,
        isForced: false,
        after: [],
        attempt: 0,
        continued: 0,
        ...task,
      });
    }
    const stage = ids[0]?.split('@', 1)[0] ?? 'a';
    await folder.writeBatch({
      ...{ version: 1, token, stage, name: `${stage}.${token}`, comment: `repro:${token}` },
      ...{ isArray: ids.length > 1, jobId: String(this.#count), cluster: 'c', owner: findOwner() },
      submittedAt: `2026-01-01T00:00:${String(this.#count).padStart(2, '0')}.000Z`,
      selection: { profile: 'quick', set: [] },
      tasks: ids.map((id, index) => ({ index, id })),
      ...batch,
    });
    return folder;
  }

  /** Lets a task have ended. */
  static end(folder: BatchFolder, index: number, kind: 'done' | 'failed'): Promise<void> {
    const end: TaskEnd = {
      ...{ version: 1, job: '1', node: 'n' },
      ...(kind === 'done' ? { kind, fingerprint: 'a'.repeat(64) } : { kind, code: 'broken', text: 'broken' }),
    };
    return writeTaskEnd(folder.endFile(index), end);
  }
}
