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
  [/not our ref|unadvertised object/, 'the repository does not have this commit'],
  [/could not read Username/, 'the server asks for a password'],
  [/not found|dumb http|is this a git/, 'there is no git repository at this address'],
  [/RPC failed|hung up|unexpected disconnect/, 'the connection was cut'],
] as const;

/**
 * Brings a folder, as one commit of a git repository has it, to `root`: by a rename, once git has hashed its files on the disk. Until then
 * all is in `part`, where the next call continues. Other files at `root` are left as they are. Only for one writer at a time.
 *
 * @throws {ReproError} `fetch-wrong-file`, `fetch-checksum`, `fetch-failed`, `fetch-git` (it is missing or too old)
 */
export async function fetchFolder(from: GitFolder, root: string, part: string, options: DownloadOptions) {
  const isThere = existsSync(root) && readdirSync(root).length > 0;
  const files = isThere ? root : path.join(part, 'files');
  if (!isThere) await fs.rm(files, { recursive: true, force: true });
  const repository = path.join(part, '.git');
  for (const one of [files, path.join(repository, 'info')]) await fs.mkdir(one, { recursive: true });
  await fs.writeFile(path.join(repository, 'info/attributes'), ATTRIBUTES);
  // What a killed git has left.
  for (const name of await fs.readdir(repository, { recursive: true }))
    if (/\.lock$|\btmp_|^index$/.test(name)) await fs.rm(path.join(repository, name), { recursive: true });

  let names = '';
  const git = await openGit(from, part, files, options, () => names);
  const fetch = (...ids: string[]) => git('fetch', '--no-tags', '--filter=blob:none', 'origin', ...ids);
  await git('init');
  if (isThere) names = await git('ls-files', '--others', '-z');
  if (names !== '') await git('update-index', '--add', '--info-only', '-z', '--stdin');
  if ((await git('write-tree', '--missing-ok')).trim() !== from.tree) {
    await fetch('--depth=1', from.commit);
    const tree = (await git('rev-parse', `${from.commit}:${from.folder}`)).trim();
    if (tree !== (from.tree ?? tree)) {
      const text = `${from.folder} in this commit is ${tree}, expected ${from.tree}.`;
      const fix = 'Correct `git` in the file of the data set.';
      throw new ReproError('fetch-checksum', text, { where: from.url, fix });
    }
    await git('read-tree', tree);
    const objects = isThere ? '' : await git('rev-list', '--objects', '--missing=print', tree);
    const missing = objects.match(/(?<=^\?)\w+/gm) ?? [];
    for (let done = 0; done < missing.length; done += FILES_AT_ONCE) {
      options.progress({ done, total: missing.length, unit: 'files' });
      await fetch(...missing.slice(done, done + FILES_AT_ONCE));
    }
    if (!isThere) await git('checkout-index', '--all');
    await git('update-index', '-q', '--refresh');
    const changed = await git('diff-files', '--name-status');
    const others = (await git('ls-files', '--others', '--exclude=.*')).replace(/^(?=.)/gm, 'A\t');
    if (changed + others !== '') {
      const wrong = listSome((changed + others).trim().replaceAll('\t', ' ').split('\n'));
      const text = `files are changed (M), missing (D) or not published (A): ${wrong}`;
      const fix =
        'Nothing was done. Move the folder away, or what is not published; then run the same command again.';
      throw new ReproError('fetch-wrong-file', text, { where: showPath(files), fix });
    }
    if (!isThere) await syncTree(files);
    if (!isThere) await fs.rename(files, root);
  }
  await fs.rm(repository, { recursive: true });
  return isThere ? 'already there' : 'downloaded';
}

/** Git without the user's settings, hooks and questions, and with no protocol but that of the address. */
async function openGit(
  { url, commit, folder }: GitFolder,
  part: string,
  files: string,
  { signal, stallSeconds }: DownloadOptions,
  input: () => string,
) {
  const environment = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => INHERITED.test(name))),
    ...{ HOME: part, LC_ALL: 'C', GIT_DIR: path.join(part, '.git'), GIT_WORK_TREE: files },
    ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0' },
    GIT_ALLOW_PROTOCOL: /^(?:https?|git|file)(?=:\/\/)/.exec(url)?.[0] ?? '',
  };
  const git = simpleGit({
    baseDir: part,
    ...(signal && { abort: signal }),
    allowEnvironment: Object.keys(environment),
    unsafe: { allowUnsafeConfigPaths: true, allowUnsafeHooksPath: true },
    config: [
      ...[`remote.origin.url=${url}`, 'fetch.negotiationAlgorithm=noop', 'core.hooksPath=/dev/null'],
      ...['core.symlinks=false', 'core.fileMode=false', 'core.quotePath=false', 'gc.auto=0'],
      ...['maintenance.auto=false', 'http.lowSpeedLimit=1', `http.lowSpeedTime=${stallSeconds}`],
    ],
    // What git has started may wait for the server, and keep its pipes open.
    completion: { onExit: 1000 },
    input: (words) => (words.includes('--stdin') ? input() : undefined),
    // By default, a git that was killed counts as successful.
    errors: (error, { exitCode }) => error ?? (exitCode === 0 ? undefined : new Error(`code ${exitCode}`)),
  }).env(environment);
  const { installed, major, minor } = await git.version();
  // The first that knows GIT_CONFIG_GLOBAL.
  if (major * 100 + minor < 232) {
    const found = installed ? `git ${major}.${minor} is too old` : 'git was not found';
    const fix = 'Install git with your system’s package manager.';
    throw new ReproError('fetch-git', `${found}: expected 2.32 or later.`, { fix });
  }
  return (...words: readonly string[]) =>
    git.raw([...words]).catch((error: unknown) => {
      const said = messageOf(error);
      if (/No space left|quota|unable to write/.test(said))
        throw Object.assign(new Error(said), { code: 'ENOSPC', path: part });
      const meaning = meanings.find(([pattern]) => pattern.test(said))?.[1] ?? 'git failed';
      const text = [`${meaning}:`, ...(said.match(/^(?:fatal|error): .*/gm) ?? [])].join('\n  ');
      const where = `${folder} of ${url} at commit ${commit}`;
      const fix = `Run the same command again later: what is complete is kept. ${CHECK_NETWORK}`;
      throw new ReproError('fetch-failed', text, { where, fix });
    });
}
