import { createReadStream } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { kindOfPath } from '../../base/files/folders.ts';
import { openRegular } from '../../base/files/regular-file.ts';
import type { RemoteSettings } from '../plan/plan.ts';
import type { Remote } from './remote.ts';

/**
 * Opens a remote cache. The S3 client is loaded only if it is needed.
 *
 * @param projectRoot what a relative folder is relative to
 * @param isNewAllowed whether a folder may be missing, because it will be written to
 * @throws {ReproError} `remote-address`; `remote-missing` if a folder's parent does not exist, as if a share is not mounted
 */
export async function openRemote(
  settings: RemoteSettings,
  projectRoot: string,
  isNewAllowed = true,
): Promise<Remote> {
  const place = readAddress(settings.address, projectRoot);
  if (typeof place !== 'string') return (await import('./s3-remote.ts')).openS3({ ...settings, ...place });
  await assertFolder(place, isNewAllowed);
  return folderRemote(place);
}

/**
 * The folder or bucket that an address names. Nothing is looked up.
 *
 * @throws {ReproError} `remote-address`
 */
export function readAddress(
  address: string,
  projectRoot: string,
): string | { readonly bucket: string; readonly prefix: string } {
  const [, bucket, prefix = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(address) ?? [];
  if (bucket !== undefined) return { bucket, prefix: prefix.replace(/\/+$/, '') };
  if (address.trim() === '' || /^[a-z][a-z0-9+.-]+:\/\//i.test(address)) {
    throw new ReproError('remote-address', `"${address}" is not an address of a remote cache`, {
      fix: 'Expected a folder (`/mnt/shared/cache`, `~/cache`) or `s3://bucket/prefix`, where a bucket has 3 to 63 characters.',
    });
  }
  return address === '~' || address.startsWith('~/')
    ? path.join(os.homedir(), address.slice(1))
    : path.resolve(projectRoot, address);
}

/** @param isNewAllowed the first upload makes it */
async function assertFolder(root: string, isNewAllowed: boolean): Promise<void> {
  const correct = 'Correct the address: `--remote`, or `cache.remote` in pipeline.yaml.';
  const refuse = (text: string, fix: string): ReproError =>
    new ReproError('remote-missing', text, { where: root, fix });
  const kind = await kindOfPath(root);
  if (kind === 'file') throw refuse('expected a folder, found a file', correct);
  if (kind === 'folder') return;
  if ((await kindOfPath(path.dirname(root))) !== 'folder') {
    const fix = `Mount the share, or create the folder. ${correct}`;
    throw refuse('neither this folder nor its parent exists', fix);
  }
  if (isNewAllowed) return;
  const fix = `${correct} If nothing was pushed yet, \`./repro cache push\` makes it.`;
  throw refuse('this folder does not exist', fix);
}

/** A shared folder: a network share, a disk, a synchronised folder. */
function folderRemote(address: string): Remote {
  const fileOf = (key: string): string => path.join(address, ...key.split('/'));
  return {
    address,
    async sizeOf(key) {
      const stats = await unlessAbsent(fs.stat(fileOf(key)));
      return stats?.isFile() === true ? stats.size : null;
    },
    async open(key) {
      const handle = await unlessAbsent(openRegular(fileOf(key)));
      return handle?.createReadStream({ highWaterMark: 1 << 20 }) ?? null;
    },
    async write(key, content, signal) {
      const isText = typeof content === 'string';
      const bytes = isText ? content : createReadStream(content.file, { highWaterMark: 1 << 20, signal });
      await writeFileAtomic(fileOf(key), bytes);
    },
  };
}

async function unlessAbsent<T>(asked: Promise<T>): Promise<T | null> {
  return asked.catch((error: unknown) => {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  });
}
