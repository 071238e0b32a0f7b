import { existsSync, readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { simpleGit } from 'simple-git';
import { messageOf, ReproError } from '../../base/errors.ts';
import { syncTree } from '../../base/files/atomic-file.ts';
import { listSome } from '../../base/text.ts';
import type { GitFolder } from '../../results/dataset-facts.ts';
import { showPath } from '../contract/how-to-get.ts';
import { CHECK_NETWORK, type DownloadOptions } from './download-file.ts';

/** In one request: what a broken connection can lose. */
const FILES_AT_ONCE = 500;
/** What git gets of the environment: the ways to its programs and to the network, but no settings. */
const INHERITED = /^(?:PATH|LD_LIBRARY_PATH|TMPDIR|GIT_SSL_CAINFO|(?:ALL|HTTPS?|NO)_PROXY)$/i;
/** These go before the attributes in a repository: files keep their bytes. */
const ATTRIBUTES = '* -text -crlf -ident -filter -working-tree-encoding\n';
/** What git says less clearly. */
const meanings = [
  [/ENOENT/, 'git was not found; install it with your system’s package manager'],
  [/not our ref|unadvertised/, 'the repository does not have this commit, or does not give it by its id'],
  [/could not read Username/, 'the server asks for a password'],
  [/not found|dumb http|is this a git/, 'there is no git repository at this address'],
  [/RPC failed|hung up|unexpected disconnect/, 'the connection was cut'],
] as const;

/**
 * Brings a folder, as one commit of a git repository has it, to `root`: by a rename, once git has hashed its files on the disk. Until then
 * all is in `part`, where the next call continues. Files that are at `root` are compared, and left as they are. Only for one writer at a time.
 *
 * @throws {ReproError} `fetch-wrong-file`, `fetch-git` (the folder is not as described), `fetch-failed`
 */
export async function fetchFolder(from: GitFolder, root: string, part: string, options: DownloadOptions) {
  const isThere = existsSync(root) && readdirSync(root).length > 0;
  const files = isThere ? root : path.join(part, 'files');
  // Of what a killed git has left, its objects are complete.
  for (const one of ['.git', 'files']) await fs.rm(path.join(part, one), { recursive: true, force: true });
  for (const one of [files, path.join(part, '.git/info')]) await fs.mkdir(one, { recursive: true });
  await fs.writeFile(path.join(part, '.git/info/attributes'), ATTRIBUTES);
  const git = openGit(from, files, part, options);
  const fetch = (...ids: string[]) => git('fetch', '--no-tags', '--filter=blob:none', 'origin', ...ids);
  await git('init');
  await fetch('--depth=1', from.commit);
  const tree = (await git('rev-parse', `${from.commit}:${from.folder}`)).trim();
  await git('read-tree', tree);
  const [link] = /^1[26]0000 .*/m.exec(await git('ls-files', '--stage')) ?? [];
  if (link !== undefined || tree !== (from.tree ?? tree)) {
    const text = `${from.folder} of this commit: expected ${from.tree ?? 'files'}, found ${link ?? tree}.`;
    const fix = 'Correct `git` in the file of the data set.';
    throw new ReproError('fetch-git', text, { where: from.url, fix });
  }
  const listed = isThere ? '' : await git('rev-list', '--objects', '--missing=print', tree);
  const missing = listed.match(/(?<=^\?)\w+/gm) ?? [];
  for (let done = 0; done < missing.length; done += FILES_AT_ONCE) {
    options.progress({ done, total: missing.length, unit: 'files' });
    await fetch(...missing.slice(done, done + FILES_AT_ONCE));
  }
  if (!isThere) await git('checkout-index', '--all');
  const wrong = (await git('ls-files', '-tmo', '--exclude=.*')).trim();
  if (wrong !== '') {
    const text = `files are changed or missing (C), or not published (?): ${listSome(wrong.split('\n'))}`;
    const fix = 'They were left as they are. Move the folder away, then run the same command again.';
    throw new ReproError('fetch-wrong-file', text, { where: showPath(files), fix });
  }
  if (!isThere) await syncTree(files).then(() => fs.rename(files, root));
  for (const one of ['.git', 'objects']) await fs.rm(path.join(part, one), { recursive: true });
  return isThere ? 'already there' : 'downloaded';
}

/** Git without the user's settings, hooks and questions, and with no protocol but HTTP. */
function openGit(from: GitFolder, files: string, part: string, { signal, stallSeconds }: DownloadOptions) {
  const environment = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name))),
    ...{ GIT_DIR: path.join(part, '.git'), GIT_OBJECT_DIRECTORY: path.join(part, 'objects') },
    ...{ GIT_WORK_TREE: files, HOME: part, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    ...{ GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: 'http:https', LC_ALL: 'C' },
  };
  const git = simpleGit({
    baseDir: part,
    ...(signal && { abort: signal }),
    allowEnvironment: Object.keys(environment),
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeHooksPath: true },
    config: [
      ...[`remote.origin.url=${from.url}`, 'core.hooksPath=/dev/null', 'core.symlinks=false'],
      // Packs are written through to the disk, single objects are not.
      ...['core.fileMode=false', 'core.quotePath=false', 'fetch.unpackLimit=1', 'gc.auto=0'],
      ...['http.lowSpeedLimit=1', `http.lowSpeedTime=${stallSeconds}`],
    ],
    // What git has started may wait for the server, and keep its pipes open.
    completion: { onExit: 1000 },
    // By default, a git that was killed counts as successful.
    errors: (error, { exitCode }) => error ?? (exitCode === 0 ? undefined : new Error(`code ${exitCode}`)),
  }).env(environment);
  return (...words: readonly string[]) =>
    git.raw([...words]).catch((error: unknown) => {
      const said = messageOf(error);
      if (/No space left on device|Disk quota exceeded|unable to write/.test(said))
        throw Object.assign(new Error(said), { code: 'ENOSPC', path: part });
      const meaning = meanings.find(([pattern]) => pattern.test(said))?.[1] ?? 'git failed';
      const text = [`${meaning}:`, ...(said.match(/^(?:fatal|error): .*/gm) ?? []).slice(0, 3)].join('\n  ');
      const where = `${from.folder} of ${from.url} at commit ${from.commit}`;
      const fix = `Run the same command again later: ${showPath(part)} keeps what is complete. ${CHECK_NETWORK}`;
      throw new ReproError('fetch-failed', text, { where, fix });
    });
}
