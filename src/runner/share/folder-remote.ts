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

const addressFix = 'Correct the address: `--remote`, or `cache.remote` in pipeline.yaml.';

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
    const refuse = (text: string, fix: string): ReproError =>
      new ReproError('remote-missing', text, { where: root, fix });
    const kind = await kindOfPath(root);
    if (kind === 'file') throw refuse('expected a folder, found a file', addressFix);
    if (kind === 'folder') return new FolderRemote(root);
    if ((await kindOfPath(path.dirname(root))) !== 'folder') {
      const fix = `Mount the share, or create the folder. ${addressFix}`;
      throw refuse('neither this folder nor its parent exists', fix);
    }
    if (isNewAllowed) return new FolderRemote(root);
    const fix = `${addressFix} If nothing was pushed yet, \`repro cache push\` makes it.`;
    throw refuse('this folder does not exist', fix);
  }

  async sizeOf(key: string): Promise<number | null> {
    const stats = await unlessAbsent(fs.stat(this.#fileOf(key)));
    return stats?.isFile() === true ? stats.size : null;
  }

  async open(key: string): Promise<Readable | null> {
    const handle = await unlessAbsent(openRegular(this.#fileOf(key)));
    return handle?.createReadStream({ highWaterMark: 1024 * 1024 }) ?? null;
  }

  async upload(key: string, file: string, _sizeBytes: number, signal?: AbortSignal): Promise<void> {
    const target = this.#fileOf(key);
    await makeFolderSynced(path.dirname(target));
    await this.#tidy(path.dirname(target));
    const partial = path.join(path.dirname(target), `.${randomUUID()}.partial`);
    try {
      // The system's own copy cannot be stopped midway, so it is used only where the file system can clone.
      await fs
        .copyFile(file, partial, constants.COPYFILE_FICLONE_FORCE)
        .catch(() => pipeline(createReadStream(file), createWriteStream(partial), { signal }));
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

async function unlessAbsent<T>(asked: Promise<T>): Promise<T | null> {
  return asked.catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  });
}

/** No upload takes longer than this. */
const oldMs = 24 * 3600 * 1000;

async function removeOld(partial: string): Promise<void> {
  const stats = await fs.stat(partial);
  if (stats.mtimeMs < Date.now() - oldMs) await fs.rm(partial, { force: true });
}
