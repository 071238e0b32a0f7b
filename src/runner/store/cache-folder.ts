import { readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hashText } from '../../base/files/canonical-json.ts';
import type { Plan } from '../plan/plan.ts';

const places = {
  store: 'store',
  records: 'records',
  /** The record of each fingerprint that was ever computed here. */
  actions: 'actions',
  /** The fingerprint that each instance last had under each profile: `<profile>/<instance>`. */
  profiles: 'profiles',
  digests: 'digests.json',
  /** Who has written to the outputs that stages with resume folders read. */
  custody: 'custody.json',
  code: 'code',
  /** Incomplete files; one folder per run. */
  temporary: 'tmp',
  /** Resume folders set aside while another fingerprint uses their place: `<fingerprint>/<n>`. */
  resume: 'resume',
  logs: 'logs',
  /** The last attempt of each instance that has not succeeded. */
  attempts: 'attempts',
  /** What was submitted to a cluster and not yet taken note of: a folder for each job. */
  jobs: 'jobs',
  lock: 'lock',
} as const;

/** The runner's state: everything below one folder, safe to delete between runs; the work it holds is then redone. Absolute paths. */
export type CacheFolder = Readonly<Record<'root' | keyof typeof places, string>>;

export function cacheFolderOf({ projectRoot }: Pick<Plan, 'projectRoot'>): CacheFolder {
  const root = path.join(projectRoot, 'artifacts', '.cache');
  const below = Object.entries(places).map(([key, name]) => [key, path.join(root, name)]);
  return { root, ...(Object.fromEntries(below) as Record<keyof typeof places, string>) };
}

/** Where an instance's stdout and stderr go, whether it has run or not. The previous run's log is beside it, as `….previous.log`. */
export function logFileOf(folder: CacheFolder, id: string): string {
  return path.join(folder.logs, `${fileNameOf(id)}.log`);
}

/** File systems allow 255 bytes; the rest is for extensions and suffixes. */
const maxNameLength = 120;

/**
 * A file name for any id. Lower-case names of ordinary characters stay as they are; in all others, other characters are
 * percent-encoded and part of the id's hash is added, so that two ids never share a file, even on case-insensitive file systems.
 */
export function fileNameOf(id: string): string {
  if (/^[a-z0-9][a-z0-9._@,=+-]*$/.test(id) && id.length <= maxNameLength) return id;
  const readable = encodeURIComponent(id)
    .replace(/[!'()*~]/g, '_')
    .replace(/^[.-]/, '_')
    .slice(0, maxNameLength);
  return `${readable}~${hashText(id).slice(0, 16)}`;
}

/** Everything that is at `<folder>/ab/<name>`, where the store and the actions have their files. */
export async function listParts(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const part of await fs.readdir(folder).catch(() => [])) {
    for (const name of await fs.readdir(path.join(folder, part)).catch(() => [])) {
      found.push(path.join(folder, part, name));
    }
  }
  return found;
}

/** The names in a folder at the moment of the call; none if it cannot be read. */
export function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
