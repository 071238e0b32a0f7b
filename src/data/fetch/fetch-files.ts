import { existsSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type Dispatcher, EnvHttpProxyAgent, interceptors, Pool } from 'undici';
import { ReproError } from '../../base/errors.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import { makeFolder, removeEmptyFolder } from '../../base/files/folders.ts';
import { acquireLock } from '../../base/files/lock.ts';
import { formatCount } from '../../base/text.ts';
import type { DatasetFacts, PublishedFile } from '../../results/dataset-facts.ts';
import { showPath } from '../contract/how-to-get.ts';
import { hashFile, kindOfSource } from '../reading/file-tree.ts';
import { downloadFile, type FetchOptions, partOf, partSize, waitFor, zipIn } from './download-file.ts';
import { fetchFolder } from './fetch-folder.ts';

/** Hidden, so that a data set's reader does not take it for a file of the data set. */
const LOCK_FOLDER = '.fetch-lock';
const CONNECT_SECONDS = 30;
/** Five times the longest file of a data set, 2.9 GB. */
const MOST_BYTES = 16 * 2 ** 30;
/** Browsers follow 20; a download page needs two or three. */
const MOST_REDIRECTS = 10;

export interface FetchedFile {
  readonly name: string;
  readonly outcome: 'already there' | 'downloaded';
}

/**
 * Brings published files into a folder, one after the other. A file appears under its name only when it is complete and its
 * checksum is right; until then it is `NAME.repro-part`, which the next call continues.
 *
 * A file that is already there is read and compared. A wrong one is never replaced: the call fails before downloading
 * anything, because only the user knows whether it is a failed download or their own work.
 *
 * @returns what was done, file by file
 * @throws {ReproError} `fetch-wrong-file`, `fetch-failed`, `fetch-checksum`, `fetch-interrupted`, `fetch-proxy` (the environment),
 *   `locked` (another download into this folder), `output-nowhere` (no such folder can be made), `disk-...` (no space)
 */
export async function fetchFiles(
  { files: all, git, homepage }: Pick<DatasetFacts, 'files' | 'git' | 'homepage'>,
  root: string,
  options: FetchOptions = {},
): Promise<FetchedFile[]> {
  const { signal, retries = 5, stallSeconds = 60, mostBytes = MOST_BYTES, wait = waitFor } = options;
  const { progress = () => {}, note = () => {} } = options;
  const files = all.filter(({ urls }) => urls !== undefined);
  const areThere = await findPresent(files, root, signal);
  // A folder with all files may be read-only.
  if (git === undefined && areThere.every(Boolean))
    return files.map(({ name }) => ({ name, outcome: 'already there' }));
  // A folder of a repository comes to its place by a rename, for which a link to another disk is followed.
  const place = existsSync(root) ? realpathSync(root) : root;
  const folder = git === undefined ? root : partOf(place);
  await makeFolder(folder, 'Name a folder that can be created.');
  const agent = openAgent(stallSeconds * 1000);
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MOST_REDIRECTS }));
  const lock = await acquireLock(path.join(folder, LOCK_FOLDER));
  const own = { homepage, dispatcher, signal, retries, stallSeconds, mostBytes, wait, progress, note };
  const fetched: FetchedFile[] = [];
  try {
    if (git !== undefined) return [{ name: git.folder, outcome: await fetchFolder(git, place, folder, own) }];
    for (const [i, file] of files.entries()) {
      if (areThere[i] !== true) await downloadFile(file, folder, own);
      fetched.push({ name: file.name, outcome: areThere[i] === true ? 'already there' : 'downloaded' });
    }
    for (const { zipUrl } of files) if (zipUrl !== undefined) rmSync(zipIn(folder, zipUrl), { force: true });
    return fetched;
  } catch (error) {
    const current = files[fetched.length]?.name ?? git?.folder;
    if (signal?.aborted !== true || current === undefined) throw explainDiskError(error, { keepsWork: true });
    throw describeInterruption('downloading', current, partSize(partOf(path.join(folder, current))), error);
  } finally {
    await agent.destroy();
    await lock.dissolve();
    if (git !== undefined) await removeEmptyFolder(folder);
  }
}

/** Which of the files are there, links followed, read to their ends; wrong ones are reported all at once. */
async function findPresent(files: readonly PublishedFile[], folder: string, signal?: AbortSignal) {
  const wrong: string[] = [];
  const areThere: boolean[] = [];
  for (const { name, md5: expected } of files) {
    const target = path.join(folder, name);
    const kind = await kindOfSource(target);
    areThere.push(kind !== null);
    if (kind === 'folder') wrong.push(`  ${showPath(target)}: expected a file, found a folder`);
    if (kind !== 'file') continue;
    const { sizeBytes, md5 } = await hashFile(target, signal).catch((error: unknown) => {
      throw signal?.aborted === true ? describeInterruption('checking', name, 0, error) : error;
    });
    const size = formatCount(sizeBytes, 'byte');
    if (md5 !== expected) wrong.push(`  ${showPath(target)}: md5 ${md5} is not ${expected}; ${size}`);
  }
  if (wrong.length === 0) return areThere;
  const text = 'existing files are not the published ones; they were left as they are:';
  // Only their owner knows whether they are failed downloads or their own work, and something may use them.
  throw new ReproError('fetch-wrong-file', [text, ...wrong].join('\n'), {
    fix: 'Delete them if they are incomplete downloads, otherwise rename or move them; then run the same command again.',
  });
}

function describeInterruption(doing: string, name: string, keptBytes: number, cause: unknown) {
  const kept = keptBytes > 0 ? `; ${formatCount(keptBytes, 'byte')} are kept in ${partOf(name)}` : '';
  const fix = `Run the same command again${keptBytes > 0 ? ': it continues there' : ''}.`;
  return new ReproError('fetch-interrupted', `Interrupted while ${doing} ${name}${kept}.`, { fix, cause });
}

/** With the error of a closed connection as it is, undici would connect to a proxy again and again without an end. */
class ProxyPool extends Pool {
  override connect(options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> {
    return super.connect(options).catch(({ message }: Error) => {
      throw new Error(`no answer of a proxy: ${message}`);
    });
  }
}

/** Makes requests through the proxies of the environment, which Node's own fetch ignores. */
function openAgent(stallMs: number): EnvHttpProxyAgent {
  const connect = { timeout: CONNECT_SECONDS * 1000 };
  const [httpProxy, httpsProxy] = [readProxy('http_proxy'), readProxy('https_proxy')];
  return new EnvHttpProxyAgent({
    ...(httpProxy !== null && { httpProxy }),
    ...(httpsProxy !== null && { httpsProxy }),
    ...{ connect, proxyTls: connect, headersTimeout: stallMs, bodyTimeout: stallMs },
    // A proxy for http:// is asked for the file, as every other program does: many allow tunnels to port 443 only.
    proxyTunnel: false,
    clientFactory: (origin, options) => new ProxyPool(origin, options),
  });
}

/**
 * A proxy that the environment names, in lower case before upper case. As for curl, `HOST:PORT` means `http://HOST:PORT`.
 *
 * @throws {ReproError} `fetch-proxy` for one that is not an address; it is not shown, since it may contain a password
 */
function readProxy(name: string): string | null {
  const set = [name, name.toUpperCase()].find((one) => (process.env[one] ?? '').trim() !== '');
  if (set === undefined) return null;
  const value = (process.env[set] ?? '').trim();
  const url = value.includes('://') ? value : `http://${value}`;
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new ReproError('fetch-proxy', `${set} is not the address of an HTTP proxy.`, {
    fix: `Set it to http://HOST:PORT, or unset it (unset ${set}) to connect directly.`,
  });
}
