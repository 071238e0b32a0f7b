import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReproError } from '../../errors.ts';
import type { RemoteSettings } from '../plan/plan.ts';
import { FolderRemote } from './folder-remote.ts';
import type { Remote } from './remote.ts';

const forms =
  'a folder (`/mnt/shared/cache`, `~/cache`, `file:///mnt/shared/cache`) or `s3://bucket/prefix`, where a bucket has 3 to 63 characters';

/**
 * Opens a remote cache. The S3 client is loaded only if it is needed.
 *
 * @param projectRoot what a relative folder is relative to
 * @param options.isNewAllowed whether the folder may be missing, because it will be written to
 * @throws {ReproError} `remote-address`; `remote-missing` if a folder's parent does not exist, as if a share is not mounted
 */
export async function openRemote(
  settings: RemoteSettings,
  projectRoot: string,
  { isNewAllowed = true }: { readonly isNewAllowed?: boolean } = {},
): Promise<Remote> {
  const place = readAddress(settings.address, projectRoot);
  if (typeof place === 'string') return FolderRemote.open(place, isNewAllowed);
  return (await import('./s3-remote.ts')).openS3({ ...settings, ...place });
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
  const [, scheme] = /^([a-z][a-z0-9+.-]+):\/\//i.exec(address) ?? [];
  if (scheme === 's3') return parseS3Address(address);
  if (scheme === undefined) return resolveFolder(address, projectRoot);
  if (scheme === 'file') return readFileAddress(address);
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
  return new ReproError('remote-address', `"${address}" is not an address of a remote cache`, {
    fix: `Expected ${forms}.`,
    cause,
  });
}
