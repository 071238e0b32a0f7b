import { randomUUID } from 'node:crypto';
import { constants, createReadStream, createWriteStream } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { makeFolderSynced, syncFile, syncFolder, writeFileAtomic } from '../../files/atomic-file.ts';
import { kindOfPath } from '../../files/folders.ts';
import { openRegular } from '../../files/regular-file.ts';
import type { Remote } from './remote.ts';

/** A smaller file is copied in a moment even by a slow disk. */
const stoppableFromBytes = 32 * 1024 * 1024;

/** A remote cache in a shared folder: a network share, a disk, a synchronised folder. */
export class FolderRemote implements Remote {
  readonly address: string;
  readonly #tidied = new Set<string>();

  private constructor(root: string) {
    this.address = root;
  }

  /**
   * @param isNewAllowed whether the folder may be missing: the first upload makes it
   * @throws {ReproError} `remote-missing`; if the parent does not exist either, a share is probably not mounted
   */
  static async open(root: string, isNewAllowed: boolean): Promise<FolderRemote> {
    const kind = await kindOfPath(root);
    if (kind === 'folder') return new FolderRemote(root);
    if (kind === 'file') {
      throw new ReproError('remote-missing', 'expected a folder, found a file', {
        where: root,
        fix: 'Correct the address: `--remote`, or `cache.remote` in pipeline.yaml.',
      });
    }
    if ((await kindOfPath(path.dirname(root))) === 'folder') {
      if (isNewAllowed) return new FolderRemote(root);
      throw new ReproError('remote-missing', 'this folder does not exist', {
        where: root,
        fix: 'Correct the address: `--remote`, or `cache.remote` in pipeline.yaml. If nothing was pushed yet, `repro cache push` makes it.',
      });
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
      const handle = await openRegular(this.#fileOf(key));
      return handle.createReadStream({ highWaterMark: 1024 * 1024 });
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
      throw error;
    }
  }

  async upload(key: string, file: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
    const target = this.#fileOf(key);
    await makeFolderSynced(path.dirname(target));
    await this.#tidy(path.dirname(target));
    const partial = path.join(path.dirname(target), `.${randomUUID()}.partial`);
    try {
      await copyFile(file, partial, sizeBytes, signal);
      // The copy is read-only like the store's file, which would only make it harder to tidy up the folder.
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
    const target = this.#fileOf(key);
    await writeFileAtomic(target, content);
    await this.#tidy(path.dirname(target));
  }

  /** Removes what killed uploads left, once for each folder that is written to. */
  async #tidy(folder: string): Promise<void> {
    if (this.#tidied.has(folder)) return;
    this.#tidied.add(folder);
    const names = (await fs.readdir(folder).catch(() => [])).filter((name) => name.endsWith('.partial'));
    for (const name of names) await removeOld(path.join(folder, name)).catch(() => {});
  }

  #fileOf(key: string): string {
    return path.join(this.address, ...key.split('/'));
  }
}

/** No upload takes longer than this. */
const oldMs = 24 * 3600 * 1000;

async function removeOld(partial: string): Promise<void> {
  const stats = await fs.stat(partial);
  if (stats.mtimeMs < Date.now() - oldMs) await fs.rm(partial, { force: true });
}

/** The system's own copy cannot be stopped midway, so it is used only for small files, and where the file system can clone. */
async function copyFile(from: string, to: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  if (sizeBytes < stoppableFromBytes) return fs.copyFile(from, to, constants.COPYFILE_FICLONE);
  try {
    await fs.copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOSPC', 'EACCES')) throw error;
    const streams = [createReadStream(from), createWriteStream(to)] as const;
    await pipeline(...streams, signal === undefined ? {} : { signal });
  }
}
