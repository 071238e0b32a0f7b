import { execFileSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FetchOptions } from '../../../src/data/fetch/download-file.ts';
import { fetchFiles } from '../../../src/data/fetch/fetch-files.ts';
import type { GitFolder } from '../../../src/results/dataset-facts.ts';
import { sharedTemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';
import { type GitServer, makeRepository, noise, type Repository, serveGit } from './git-server.ts';
import { type FetchProgress, failure, listen } from './rig.ts';

afterEach(() => void vi.unstubAllEnvs());

async function fetchTo(root: string, git: GitFolder, options: FetchOptions = {}) {
  const [fetched] = await fetchFiles({ files: [], git }, root, options);
  return fetched?.outcome;
}

/** The files below a folder, and their content. */
async function readAll(folder: string): Promise<Record<string, Buffer>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const contents = files.map(async (file) => {
    const name = path.join(file.parentPath, file.name);
    return [path.relative(folder, name), await readFile(name)] as const;
  });
  return Object.fromEntries(await Promise.all(contents));
}

const sounds: Readonly<Record<string, Buffer>> = {
  'yes/1.wav': noise(30_000, 1),
  'yes/2.wav': noise(30_001, 2),
  'no/1.wav': noise(29_999, 3),
  'no/é 2.wav': Buffer.from('first line\r\nsecond line\n'),
};

interface Scene {
  readonly repository: Repository;
  readonly server: GitServer;
  readonly git: GitFolder;
  /** Where the folder is wanted; nothing is there. */
  readonly root: string;
}

type MakeTree = (repository: Repository) => Promise<string> | string;
const withSounds: MakeTree = (repository) => repository.treeOf(sounds);

async function commitTree(parent: string, makeTree: MakeTree) {
  const repository = await makeRepository(parent);
  return { repository, commit: repository.commit(await makeTree(repository)) };
}

const home = sharedTemporaryFolder();
let shared: ReturnType<typeof commitTree> | undefined;

/** @param makeTree of a repository of its own; without it, all tests share one with `sounds` */
async function makeScene(makeTree?: MakeTree): Promise<Scene> {
  shared ??= commitTree(home, withSounds);
  const { repository, commit } = await (makeTree ? commitTree(await temporaryFolder(), makeTree) : shared);
  const server = await serveGit(path.dirname(repository.folder));
  const git = { ...commit, url: `${server.url}/data.git` };
  return { repository, server, git, root: path.join(await temporaryFolder(), 'data', 'sounds') };
}

/** What is beside the folder. */
const around = (root: string) => readdir(path.dirname(root));

describe('a folder of a repository', () => {
  test('is downloaded alone and without history, byte for byte', async () => {
    const { server, git, root } = await makeScene();
    expect(await fetchTo(root, git)).toBe('downloaded');
    expect(await readAll(root)).toEqual(sounds);
    expect(await around(root)).toEqual(['sounds']);
    // The other folder of this commit has 2 MB.
    expect(server.sentBytes).toBeLessThan(120_000);
  });

  test('comes from a server that cannot leave the others out', async () => {
    const { repository, git, root } = await makeScene(withSounds);
    repository.git(['config', 'uploadpack.allowFilter', 'false']);
    expect(await fetchTo(root, git)).toBe('downloaded');
    expect(await readAll(root)).toEqual(sounds);
    expect(await around(root)).toEqual(['sounds']);
  });

  test('comes to where a link leads, and into an empty folder', async () => {
    const { git, root } = await makeScene();
    const disk = await temporaryFolder();
    await mkdir(path.join(disk, 'empty'));
    await mkdir(path.dirname(root));
    await symlink(path.join(disk, 'empty'), root);
    expect(await fetchTo(root, git)).toBe('downloaded');
    expect(await readdir(disk)).toEqual(['empty']);
    expect(await readAll(path.join(disk, 'empty'))).toEqual(sounds);
  });

  test('is fetched in parts, with the number of files so far', async () => {
    const many = Object.fromEntries(Array.from({ length: 1_234 }, (_, i) => [`${i}.txt`, `file ${i}`]));
    const { git, root } = await makeScene((repository) => repository.treeOf(many));
    const reports: FetchProgress[] = [];
    await fetchTo(root, git, { progress: (report) => reports.push(report) });
    expect(reports).toEqual([0, 500, 1_000].map((done) => ({ done, total: 1_234, unit: 'files' })));
    expect(Object.keys(await readAll(root))).toHaveLength(1_234);
  });
});

describe('a folder that is already there', () => {
  test('and right is found by names and hashes, also a copy with other permissions and the files of a file manager', async () => {
    const { server, git, root } = await makeScene();
    await fetchTo(root, git);
    const sent = server.sentBytes;
    const copy = path.join(await temporaryFolder(), 'copy');
    await cp(root, copy, { recursive: true });
    await chmod(path.join(copy, 'no/1.wav'), 0o755);
    await writeFile(path.join(copy, '.DS_Store'), 'icons');
    for (const one of [root, copy]) {
      expect(await fetchTo(one, git)).toBe('already there');
      expect(await readAll(one)).toMatchObject(sounds);
    }
    expect(await around(root)).toEqual(['sounds']);
    // The names alone are asked for.
    expect(server.sentBytes - sent).toBeLessThan(4_000);
  });

  test('and wrong is reported file by file, with what to do, and is left as it is', async () => {
    const { git, root } = await makeScene();
    await fetchTo(root, git);
    const changed = Buffer.from(sounds['yes/1.wav']!);
    changed[15_000]! ^= 1;
    await writeFile(path.join(root, 'yes/1.wav'), changed);
    await rm(path.join(root, 'no/é 2.wav'));
    await writeFile(path.join(root, 'notes.txt'), 'mine');
    const before = await readAll(root);
    await expect(fetchTo(root, git)).rejects.toMatchObject({
      code: 'fetch-wrong-file',
      message: expect.stringMatching(/\? notes\.txt, C no\/é 2\.wav, C yes\/1\.wav/),
      where: root,
      fix: expect.stringMatching(/left as they are.*run the same command again/),
    });
    expect(await readAll(root)).toEqual(before);
    await rm(root, { recursive: true });
    expect(await fetchTo(root, git)).toBe('downloaded');
    expect(await readAll(root)).toEqual(sounds);
    expect(await around(root)).toEqual(['sounds']);
  });

  test('since another program put it there during the download, is not replaced', async () => {
    const { server, git, root } = await makeScene();
    server.onData = () =>
      void mkdir(root, { recursive: true }).then(() => writeFile(path.join(root, 'a'), ''));
    await expect(fetchTo(root, git)).rejects.toThrow('ENOTEMPTY');
    expect(await readdir(root)).toEqual(['a']);
  });
});

describe('a download that fails', () => {
  const many = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`${i}.bin`, noise(1_000, i)]));

  test('since the connection is cut continues with the files that are missing', async () => {
    const { server, git, root } = await makeScene((repository) => repository.treeOf(many));
    server.cutAfter = 600_000;
    await expect(fetchTo(root, git)).rejects.toMatchObject({
      ...failure('fetch-failed', 'the connection was cut'),
      where: expect.stringContaining(git.url),
      fix: expect.stringContaining('Run the same command again'),
    });
    expect(await around(root)).toEqual(['sounds.repro-part']);
    server.cutAfter = Number.POSITIVE_INFINITY;
    const sent = server.sentBytes;
    expect(await fetchTo(root, git)).toBe('downloaded');
    // Of 700, at least the 500 of the first request were here.
    expect(server.sentBytes - sent).toBeLessThan(300_000);
    expect(await readAll(root)).toEqual(many);
    expect(await around(root)).toEqual(['sounds']);
  });

  test('since the server sends nothing more ends after a while', async () => {
    const { server, git, root } = await makeScene();
    server.stallAfter = 10_000;
    await expect(fetchTo(root, git, { stallSeconds: 1 })).rejects.toMatchObject({ code: 'fetch-failed' });
    server.stallAfter = Number.POSITIVE_INFINITY;
    expect(await fetchTo(root, git)).toBe('downloaded');
  });

  test.each([
    ['without this commit', { commit: '1'.repeat(40) }, 'the repository does not have this commit'],
    ['whose commit has no such folder', { folder: 'noises' }, "path 'noises' does not exist"],
    ['whose folder is another one', { tree: '1'.repeat(40) }, `expected ${'1'.repeat(40)}, found `],
  ])('since the repository is one %s says so', async (_, wrong, told) => {
    const { git, root } = await makeScene();
    const fetching = fetchTo(root, { ...git, ...wrong });
    await expect(fetching).rejects.toMatchObject({
      message: expect.stringContaining(told),
      where: expect.stringContaining(git.url),
      fix: expect.stringMatching(/./),
    });
    expect(existsSync(root)).toBe(false);
  });

  test('since the server gives no objects by their ids says so in a few lines', async () => {
    const { server, git, root } = await makeScene((repository) => repository.treeOf(many));
    server.givesById = false;
    const error: unknown = await fetchTo(root, git).catch((one: unknown) => one);
    expect(error).toMatchObject(failure('fetch-failed', 'does not give it by its id'));
    expect(String(error).split('\n').length).toBeLessThan(6);
    server.givesById = true;
    expect(await fetchTo(root, git)).toBe('downloaded');
  });

  test('since the address has no repository says so', async () => {
    const { server, git, root } = await makeScene();
    const nowhere = { ...git, url: `${server.url}/other.git` };
    const told = failure('fetch-failed', 'there is no git repository at this address');
    await expect(fetchTo(root, nowhere)).rejects.toMatchObject(told);
    server.instead = (_, response) => void response.end('<!DOCTYPE html><title>Welcome</title>');
    await expect(fetchTo(root, git)).rejects.toMatchObject(told);
  });

  test('since the server asks for a password does not wait for one', async () => {
    const { server, git, root } = await makeScene();
    const asked = path.join(await temporaryFolder(), 'asked');
    const askpass = path.join(await temporaryFolder(), 'askpass');
    await writeFile(askpass, `#!/bin/sh\ntouch ${asked}\necho secret\n`, { mode: 0o755 });
    for (const name of ['GIT_ASKPASS', 'SSH_ASKPASS']) vi.stubEnv(name, askpass);
    server.instead = (_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="data"' }).end();
    };
    await expect(fetchTo(root, git)).rejects.toMatchObject(failure('fetch-failed', 'asks for a password'));
    expect(existsSync(asked)).toBe(false);
  });

  test('without a network names the server and the proxy variable', async () => {
    const { git, root } = await makeScene();
    const closed = createServer();
    const port = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    for (const host of [`127.0.0.1:${port}`, 'data.invalid']) {
      await expect(fetchTo(root, { ...git, url: `http://${host}/data.git` })).rejects.toMatchObject({
        ...failure('fetch-failed', host.split(':')[0]!),
        fix: expect.stringContaining('https_proxy'),
      });
    }
  });

  test('since an earlier git was killed over a file is not hindered by its locks', async () => {
    const { server, git, root } = await makeScene();
    server.cutAfter = 10_000;
    await expect(fetchTo(root, git)).rejects.toMatchObject({ code: 'fetch-failed' });
    server.cutAfter = Number.POSITIVE_INFINITY;
    const own = ['.git/index.lock', '.git/shallow.lock', '.git/config.lock', 'objects/pack/tmp_pack_x'];
    for (const name of own) await writeFile(path.join(`${root}.repro-part`, name), '');
    expect(await fetchTo(root, git)).toBe('downloaded');
  });

  test('for a second time at the same place is refused', async () => {
    const { server, git, root } = await makeScene();
    let second: Promise<unknown> | undefined;
    server.onData = () => {
      second ??= fetchTo(root, git).catch((error: unknown) => error);
    };
    expect(await fetchTo(root, git)).toBe('downloaded');
    expect(await second).toMatchObject(failure('locked', `process ${process.pid} `));
  });
});

describe('an abort', () => {
  const running = () => execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' });

  test('ends git, also while it waits for the server, and the next call works', async () => {
    const { server, git, root } = await makeScene();
    const controller = new AbortController();
    server.stallAfter = 10_000;
    server.onData = () => {
      if (server.sentBytes >= server.stallAfter) controller.abort('SIGINT');
    };
    await expect(fetchTo(root, git, { signal: controller.signal })).rejects.toMatchObject({
      ...failure('fetch-interrupted', 'Interrupted while downloading sounds'),
      fix: expect.stringContaining('Run the same command again'),
    });
    const ours = running()
      .split('\n')
      .filter((line) => line.includes(`remote.origin.url=${git.url}`));
    expect(ours).toEqual([]);
    expect(existsSync(root)).toBe(false);
    server.stallAfter = Number.POSITIVE_INFINITY;
    expect(await fetchTo(root, git)).toBe('downloaded');
  });

  test('before the first step asks nothing', async () => {
    const { server, git, root } = await makeScene();
    const fetching = fetchTo(root, git, { signal: AbortSignal.abort('SIGINT') });
    await expect(fetching).rejects.toMatchObject({ code: 'fetch-interrupted' });
    expect(server.requests).toEqual([]);
  });
});

describe('a repository with a hostile tree', () => {
  test('cannot change bytes, run filters or replace large files by its attributes', async () => {
    const content = {
      '.gitattributes': '* text eol=crlf ident filter=evil working-tree-encoding=UTF-16\n*.wav filter=lfs\n',
      'a.txt': 'one\ntwo\n$Id$\n',
      'b.wav': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n',
    };
    const { git, root } = await makeScene((repository) => repository.treeOf(content));
    expect(await fetchTo(root, git)).toBe('downloaded');
    const read = Object.entries(await readAll(root)).map(([name, bytes]) => [name, bytes.toString()]);
    expect(Object.fromEntries(read)).toEqual(content);
    expect(await fetchTo(root, git)).toBe('already there');
  });

  test.each([
    ['a link', '120000 blob', '3594e94c04db171e2767224db355f514b13715c5'],
    ['a submodule', '160000 commit', '1'.repeat(40)],
  ])('is refused for %s, before its files are downloaded', async (_, kind, id) => {
    const { repository, server, git, root } = await makeScene((repository) =>
      repository.tree(
        `100644 blob ${repository.blob(noise(300_000, 1))}\ta.wav`,
        `040000 tree ${repository.tree(`${kind} ${id}\todd`)}\tdeep`,
      ),
    );
    expect(repository.blob('/etc/passwd')).toBe('3594e94c04db171e2767224db355f514b13715c5');
    await expect(fetchTo(root, git)).rejects.toMatchObject({
      ...failure('fetch-git', 'deep/odd'),
      where: git.url,
      fix: expect.stringContaining('the file of the data set'),
    });
    expect(server.sentBytes).toBeLessThan(10_000);
    expect(existsSync(root)).toBe(false);
  });

  test('cannot leave the folder, nor pass for a repository', async () => {
    for (const name of ['..', '.git', '.GIT', '.']) {
      const { git, root } = await makeScene((repository) =>
        repository.tree(
          `040000 tree ${repository.tree(`100755 blob ${repository.blob('evil')}\tconfig`)}\t${name}`,
        ),
      );
      await expect(fetchTo(root, git)).rejects.toMatchObject({
        code: 'fetch-failed',
        message: expect.stringContaining(`invalid path '${name}/config'`),
      });
      expect(await around(root)).toEqual(['sounds.repro-part']);
      expect(await readdir(`${root}.repro-part/files`)).toEqual([]);
    }
  });

  test('cannot be reached by another protocol than the one of its address', async () => {
    const { repository, server, git, root } = await makeScene();
    for (const location of [`file://${repository.folder}`, 'git://127.0.0.1:1/data.git']) {
      server.instead = ({ url = '' }, response) =>
        void response.writeHead(302, { location: location + url.replace('/data.git', '') }).end();
      await expect(fetchTo(root, git)).rejects.toMatchObject({ code: 'fetch-failed' });
    }
    const marker = path.join(await temporaryFolder(), 'ran');
    await expect(fetchTo(root, { ...git, url: `ext::sh -c touch% ${marker}` })).rejects.toThrow();
    expect(existsSync(marker)).toBe(false);
  });
});

/** Puts a program before git that does something else. @param branch of a `case` over all words */
async function wrapGit(branch: string): Promise<void> {
  const programs = await temporaryFolder();
  const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  const script = `#!/bin/sh\ngit=${real}\ncase "$*" in ${branch} esac\nexec "$git" "$@"\n`;
  await writeFile(path.join(programs, 'git'), script, { mode: 0o755 });
  vi.stubEnv('PATH', `${programs}:${process.env.PATH}`);
}

describe('git', () => {
  test('takes no settings, hooks, templates or attributes of the user', async () => {
    const { git, root } = await makeScene();
    const home = await temporaryFolder();
    const marker = path.join(home, 'ran');
    const program = path.join(home, 'program');
    await writeFile(program, `#!/bin/sh\necho "$0 $@" >> ${marker}\nexit 1\n`, { mode: 0o755 });
    const hooks = path.join(home, 'template/hooks');
    await mkdir(hooks, { recursive: true });
    const names = ['post-checkout', 'post-index-change', 'reference-transaction', 'pre-auto-gc', 'fsmonitor'];
    for (const name of names) await cp(program, path.join(hooks, name));
    const settings = [
      `[core]\n hooksPath = ${hooks}\n fsmonitor = ${program}\n autocrlf = true\n attributesFile = ${home}/attributes`,
      `[init]\n templateDir = ${home}/template`,
      `[url "http://data.invalid/"]\n insteadOf = http://127.0.0.1`,
      `[filter "evil"]\n smudge = ${program}\n clean = ${program}\n required = true`,
      `[credential]\n helper = ${program}`,
      `[http]\n proxy = http://127.0.0.1:1`,
    ];
    await writeFile(path.join(home, '.gitconfig'), settings.join('\n'));
    await mkdir(path.join(home, '.config/git'), { recursive: true });
    for (const file of ['attributes', '.config/git/attributes'])
      await writeFile(path.join(home, file), '* filter=evil\n');
    vi.stubEnv('HOME', home);
    vi.stubEnv('XDG_CONFIG_HOME', path.join(home, '.config'));
    vi.stubEnv('GIT_CONFIG_GLOBAL', path.join(home, '.gitconfig'));
    vi.stubEnv('GIT_CONFIG_SYSTEM', path.join(home, '.gitconfig'));
    vi.stubEnv('GIT_TEMPLATE_DIR', path.join(home, 'template'));
    vi.stubEnv('GIT_DIR', path.join(home, 'elsewhere'));
    vi.stubEnv('GIT_INDEX_FILE', path.join(home, 'index'));
    expect(await fetchTo(root, git)).toBe('downloaded');
    expect(await readAll(root)).toEqual(sounds);
    expect(existsSync(marker)).toBe(false);
    expect(existsSync(path.join(home, 'index'))).toBe(false);
  });

  test('goes through the proxy of the environment', async () => {
    const { server, git, root } = await makeScene();
    vi.stubEnv('http_proxy', server.url);
    // A name that nobody can look up: only the proxy can have answered.
    const far = { ...git, url: 'http://data.invalid/data.git' };
    expect(await fetchTo(root, far)).toBe('downloaded');
    expect(server.requests[0]).toContain('http://data.invalid/data.git/info/refs');
  });

  test('that is missing is named, with how to get it', async () => {
    const { git, root } = await makeScene();
    vi.stubEnv('PATH', await temporaryFolder());
    await expect(fetchTo(root, git)).rejects.toMatchObject(failure('fetch-failed', 'package manager'));
    expect(existsSync(root)).toBe(false);
  });

  test('cannot bring a file that is another one on the disk', async () => {
    const { git, root } = await makeScene();
    await wrapGit(
      `*checkout-index*) "$git" "$@"; printf x | dd of="$GIT_WORK_TREE/yes/1.wav" seek=9 bs=1 conv=notrunc; exit 0;;`,
    );
    const told = failure('fetch-wrong-file', 'C yes/1.wav');
    await expect(fetchTo(root, git)).rejects.toMatchObject(told);
    expect(existsSync(root)).toBe(false);
  });

  test.each([
    ['killed', 'kill -9 $$'],
    ['failing without a word', 'exit 3'],
  ])('%s does not count as successful', async (_, end) => {
    const { server, git, root } = await makeScene();
    await wrapGit(`*checkout-index*) ${end};;`);
    await expect(fetchTo(root, git)).rejects.toMatchObject(failure('fetch-failed', 'git failed'));
    expect(existsSync(root)).toBe(false);
    vi.unstubAllEnvs();
    const sent = server.sentBytes;
    expect(await fetchTo(root, git)).toBe('downloaded');
    expect(await readAll(root)).toEqual(sounds);
    // The files themselves were here.
    expect(server.sentBytes - sent).toBeLessThan(4_000);
  });
});

/** Mounting takes root and, in a container, the permission to. */
const canMount = ((): boolean => {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
})();
const why = canMount ? '' : ' (skipped: this user may not mount file systems)';

test.skipIf(!canMount)(
  `a disk that becomes full is named, and once there is space the next call works${why}`,
  async () => {
    const large = { 'a.bin': noise(400_000, 1), 'b.bin': noise(400_000, 2) };
    const { git } = await makeScene((repository) => repository.treeOf(large));
    const disk = await temporaryFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', [disk]));
    const { bavail, bsize } = statfsSync(disk);
    // For the pack or not even that, and for the pack but not the files.
    for (const freeBytes of [40_000, 500_000, 1_300_000]) {
      await writeFile(path.join(disk, 'filling'), Buffer.alloc(bavail * bsize - freeBytes));
      await expect(fetchTo(path.join(disk, 'sounds'), git), String(freeBytes)).rejects.toMatchObject({
        code: 'disk-enospc',
        fix: expect.stringContaining('Free some space'),
      });
      expect(existsSync(path.join(disk, 'sounds'))).toBe(false);
      await rm(path.join(disk, 'filling'));
      await rm(path.join(disk, 'sounds.repro-part'), { recursive: true });
    }
    expect(await fetchTo(path.join(disk, 'sounds'), git)).toBe('downloaded');
    expect(await readAll(path.join(disk, 'sounds'))).toEqual(large);
  },
);
