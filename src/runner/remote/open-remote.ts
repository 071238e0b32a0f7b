import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReproError } from '../../errors.ts';
import type { RemoteSettings } from '../plan.ts';
import { FolderRemote } from './folder-remote.ts';
import type { Remote } from './remote.ts';

const forms = 'a folder (`/mnt/shared/cache`, `~/cache`, `file:///mnt/shared/cache`) or `s3://bucket/prefix`';

/**
 * Opens a remote cache. The S3 client is loaded only if it is needed.
 *
 * @param projectRoot what a relative folder is relative to
 * @param options.isNewAllowed whether a folder may be missing, for who will write into it
 * @throws {ReproError} `remote-address`; `remote-missing` if a folder's parent does not exist: a share that is not mounted, say
 */
export async function openRemote(
  settings: RemoteSettings,
  projectRoot: string,
  { isNewAllowed = true }: { readonly isNewAllowed?: boolean } = {},
): Promise<Remote> {
  const { address } = settings;
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(address) ?? [];
  if (scheme === 's3') {
    const { bucket, prefix } = parseS3Address(address);
    return (await import('./s3-remote.ts')).openS3({ ...settings, bucket, prefix });
  }
  if (scheme === undefined) return FolderRemote.open(resolveFolder(address, projectRoot), isNewAllowed);
  if (scheme === 'file') return FolderRemote.open(readFileAddress(address), isNewAllowed);
  throw wrongAddress(address);
}

function parseS3Address(address: string): { bucket: string; prefix: string } {
  const [, bucket, rest = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(address) ?? [];
  if (bucket === undefined) throw wrongAddress(address);
  return { bucket, prefix: rest.replace(/\/+$/, '') };
}

function resolveFolder(address: string, projectRoot: string): string {
  if (address.trim() === '') throw wrongAddress(address);
  return address === '~' || address.startsWith('~/')
    ? path.join(os.homedir(), address.slice(1))
    : path.resolve(projectRoot, address);
}

function readFileAddress(address: string): string {
  try {
    return fileURLToPath(address);
  } catch (cause) {
    throw wrongAddress(address, cause);
  }
}

function wrongAddress(address: string, cause?: unknown): ReproError {
  return new ReproError('remote-address', `"${address}" is no address of a remote cache`, {
    fix: `Expected ${forms}.`,
    cause,
  });
}
