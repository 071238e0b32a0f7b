import { mkdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fetchFiles } from '../../../src/data/fetch/fetch-files.ts';
import {
  content,
  failure,
  fetchFrom,
  homepage,
  listen,
  makeFetcher,
  remoteFile,
  serve,
  startServer,
  status,
} from './rig.ts';

afterEach(() => void vi.unstubAllEnvs());

test('a download makes the folder, and brings several files in the order of the list', async () => {
  const server = await startServer((request, ...rest) =>
    serve(request.url === '/a' ? content : content.subarray(1))(request, ...rest),
  );
  const folder = path.join((await makeFetcher()).folder, 'data', 'set');
  const files = [
    remoteFile(content, [server.url('/a')], { name: 'a' }),
    remoteFile(content.subarray(1), [server.url('/b')], { name: 'b' }),
  ];
  for (const outcome of ['downloaded', 'already there'])
    expect(await fetchFiles({ files, homepage }, folder)).toEqual([
      { name: 'a', outcome },
      { name: 'b', outcome },
    ]);
  expect(server.requests.map(({ url }) => url)).toEqual(['/a', '/b']);
});

describe('a file that is already there', () => {
  test('is read and not fetched again; no lock is taken', async () => {
    const fetcher = await makeFetcher();
    await fetcher.write('elsewhere', content);
    await symlink('elsewhere', path.join(fetcher.folder, 'file.bin'));
    expect(await fetcher.fetch(remoteFile(content, ['http://data.invalid']))).toBe('already there');
  });

  test('and wrong is reported with what to do, is left alone, and stops the command before any download', async () => {
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    const wrong = Buffer.from(content).fill(0, 7, 8);
    await fetcher.write('b.bin', wrong);
    await fetcher.write('c.bin', content.subarray(1));
    await mkdir(path.join(fetcher.folder, 'd.bin'));
    const files = ['a', 'b', 'c', 'd'].map((name) =>
      remoteFile(content, [server.url()], { name: `${name}.bin` }),
    );
    const error = await fetchFiles({ files, homepage }, fetcher.folder).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: 'fetch-wrong-file',
      fix: expect.stringMatching(/^Delete them .* run the same command again\.$/),
    });
    const { message } = error as Error;
    expect(message).toMatch(/b\.bin: md5 [0-9a-f]{32} is not [0-9a-f]{32}; 300,000 bytes/);
    expect(message).toMatch(/c\.bin: md5 [0-9a-f]{32} is not [0-9a-f]{32}; 299,999 bytes/);
    expect(message).toContain('d.bin: expected a file, found a folder');
    expect(await fetcher.names()).toEqual(['b.bin', 'c.bin', 'd.bin']);
    expect(await fetcher.has(wrong, 'b.bin')).toBe(true);
    expect(server.requests).toEqual([]);
  });

  test('since another program put it there during the download, is not replaced', async () => {
    const fetcher = await makeFetcher();
    const server = await startServer((...exchange) => {
      void fetcher.write('file.bin', 'mine').then(() => serve(content)(...exchange));
    });
    const fetching = fetcher.fetch(remoteFile(content, [server.url()]));
    await expect(fetching).rejects.toMatchObject({ code: 'fetch-wrong-file' });
    expect(await fetcher.has(Buffer.from('mine'))).toBe(true);
    expect((await fetcher.part()).equals(content)).toBe(true);
  });
});

test.each([
  ['mine', 'file.bin.repro-part'],
  ['nowhere', 'file.bin.repro-part'],
  ['mine', 'set.zip.repro-part'],
])(
  'a link to %s in the place of %s is refused by name, and what it points to is left as it is',
  async (to, part) => {
    const fetcher = await makeFetcher();
    await fetcher.write('mine', 'mine');
    await symlink(to, path.join(fetcher.folder, part));
    const before = await fetcher.names();
    const server = await startServer(status(404), serve(content));
    const file = { ...remoteFile(content, [server.url()]), zipUrl: server.url('/set.zip') };
    await expect(fetcher.fetch(file)).rejects.toMatchObject({
      code: 'fetch-wrong-file',
      message: expect.stringContaining('found a symbolic link'),
      where: expect.stringMatching(new RegExp(`${part}$`)),
      fix: expect.stringContaining('Delete it or move it away'),
    });
    expect(await fetcher.names()).toEqual(before);
    expect(await fetcher.has(Buffer.from('mine'), 'mine')).toBe(true);
  },
);

test('two downloads into one folder exclude each other: the second says who holds the folder', async () => {
  const fetcher = await makeFetcher();
  let second: unknown;
  const server = await startServer((...exchange) => {
    void fetchFiles({ files: [remoteFile(content, [server.url()])], homepage }, fetcher.folder)
      .catch((error: unknown) => {
        second = error;
      })
      .then(() => serve(content)(...exchange));
  });
  expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
  expect(second).toMatchObject(failure('locked', `process ${process.pid} `));
});

test('a redirect is followed, relative or absolute, and keeps the range', async () => {
  const target = await startServer(serve(content, { cutAfter: 100_000 }), serve(content));
  const to = (location: string, code: number) => status(code, { location });
  const { server, fetcher, result } = await fetchFrom([
    to('/next', 301),
    to(target.url('/signed?secret'), 302),
  ]);
  expect(result).toBe('downloaded');
  expect(server.requests.map(({ url }) => url)).toEqual(['/file.bin', '/next', '/file.bin']);
  expect(target.ranges).toEqual([undefined, 'bytes=100000-']);
  expect(fetcher.notes.join('\n')).not.toContain('secret');
});

describe('an abort', () => {
  test('in mid-download keeps the part and says that running again resumes', async () => {
    const server = await startServer(serve(content, { stallAfter: 100_000 }), serve(content));
    const fetcher = await makeFetcher();
    const controller = new AbortController();
    const file = remoteFile(content, [server.url()]);
    const progress = ({ done }: { done: number }) => {
      if (done > 0) controller.abort('SIGINT');
    };
    // A report may be skipped, so that the stall is what ends this try at the latest.
    const wait = async () => controller.abort('SIGINT');
    const fetching = fetcher.fetch(file, { signal: controller.signal, progress, wait, stallSeconds: 1 });
    await expect(fetching).rejects.toMatchObject({
      code: 'fetch-interrupted',
      message: expect.stringMatching(
        /^Interrupted while downloading file\.bin; [\d,]+ bytes are kept in file\.bin\.repro-part\.$/,
      ),
      fix: expect.stringContaining('continues there'),
    });
    const kept = (await fetcher.part()).length;
    expect(kept).toBeGreaterThan(0);
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(server.ranges.at(-1)).toBe(`bytes=${kept}-`);
    expect(await fetcher.has(content)).toBe(true);
  });

  test('before or between tries makes no further request', async () => {
    const early = await fetchFrom([status(503)], { signal: AbortSignal.abort('SIGINT') });
    expect(early.result).toMatchObject({ code: 'fetch-interrupted' });
    expect(early.server.requests).toEqual([]);
    const controller = new AbortController();
    const wait = async () => controller.abort('SIGINT');
    const late = await fetchFrom([status(503)], { signal: controller.signal, wait });
    expect(late.result).toMatchObject({ code: 'fetch-interrupted', cause: 'SIGINT' });
    expect(late.server.requests).toHaveLength(1);
    expect(await late.fetcher.names()).toEqual([]);
  });
});

describe('a proxy of the environment', () => {
  test('is used, except for hosts in no_proxy; HOST:PORT is enough, and lower case goes first', async () => {
    const [proxy, direct] = [await startServer(serve(content)), await startServer(serve(content))];
    vi.stubEnv('http_proxy', proxy.origin.replace('http://', ''));
    vi.stubEnv('HTTP_PROXY', 'http://data.invalid');
    vi.stubEnv('no_proxy', '127.0.0.1');
    const fetcher = await makeFetcher();
    // A name that nobody can look up: only the proxy can have answered.
    const far = remoteFile(content, ['http://data.invalid/a'], { name: 'a' });
    const near = remoteFile(content, [direct.url('/b')], { name: 'b' });
    expect([await fetcher.fetch(far), await fetcher.fetch(near)]).toEqual(['downloaded', 'downloaded']);
    expect(proxy.requests.map(({ url }) => url)).toEqual(['http://data.invalid/a']);
    expect(direct.requests.map(({ url }) => url)).toEqual(['/b']);
  });

  test('that closes every connection, since it is none, is given up', async () => {
    let connections = 0;
    const other = createServer((socket) => {
      connections += 1;
      socket.on('error', () => {}).on('data', () => socket.end());
    });
    vi.stubEnv('https_proxy', `http://127.0.0.1:${await listen(other)}`);
    const fetching = (await makeFetcher()).fetch(remoteFile(content, ['https://data.invalid/a']));
    await expect(fetching).rejects.toMatchObject(failure('fetch-failed', 'the proxy refused the connection'));
    expect(connections).toBe(1);
  });

  test.each(['ftp://me:secret@proxy', 'http://'])(
    'is refused if it is %s, without showing it',
    async (https_proxy) => {
      vi.stubEnv('https_proxy', https_proxy);
      const fetching = (await makeFetcher()).fetch(remoteFile(content, ['https://data.invalid/a']));
      await expect(fetching).rejects.toMatchObject({
        code: 'fetch-proxy',
        message: 'https_proxy is not the address of an HTTP proxy.',
      });
    },
  );
});
