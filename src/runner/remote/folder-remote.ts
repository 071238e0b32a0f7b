import { randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { makeFolderSynced, syncFile, syncFolder, writeFileAtomic } from '../../files/atomic-file.ts';
import type { Remote } from './remote.ts';

/** A remote cache in a folder that others can reach: a network share, a disk, a folder that is synchronised. */
export class FolderRemote implements Remote {
  readonly address: string;

  private constructor(root: string) {
    this.address = root;
  }

  /** @throws {ReproError} `remote-missing` if neither it nor its parent exists: probably a share that is not mounted */
  static async open(root: string): Promise<FolderRemote> {
    for (const folder of [root, path.dirname(root)]) {
      const stats = await fs.stat(folder).catch(() => null);
      if (stats?.isDirectory() === true) return new FolderRemote(root);
    }
    throw new ReproError('remote-missing', 'neither this folder nor its parent exists', {
      where: root,
      fix: 'Mount the share, create the folder, or correct the address: `--remote`, or `cache.remote` in pipeline.yaml.',
    });
  }

  async sizeOf(key: string): Promise<number | null> {
    try {
      const stats = await fs.stat(this.#fileOf(key));
      return stats.isFile() ? stats.size : null;
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
      throw error;
    }
  }

  async open(key: string): Promise<Readable | null> {
    try {
      const handle = await fs.open(this.#fileOf(key));
      return createReadStream('', { fd: handle, highWaterMark: 1024 * 1024 });
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
      throw error;
    }
  }

  async upload(key: string, file: string): Promise<void> {
    const target = this.#fileOf(key);
    await makeFolderSynced(path.dirname(target));
    const partial = path.join(path.dirname(target), `.${randomUUID()}.partial`);
    try {
      await fs.copyFile(file, partial, constants.COPYFILE_FICLONE);
      // Others may have to replace it, so it is not as read-only as in the store.
      await fs.chmod(partial, 0o644);
      await syncFile(partial);
      await fs.rename(partial, target);
    } catch (error) {
      await fs.rm(partial, { force: true }).catch(() => {});
      throw error;
    }
    await syncFolder(path.dirname(target));
  }

  async write(key: string, content: string): Promise<void> {
    await writeFileAtomic(this.#fileOf(key), content);
  }

  #fileOf(key: string): string {
    return path.join(this.address, ...key.split('/'));
  }
}
