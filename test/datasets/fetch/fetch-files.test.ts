import fs from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer as createSocketServer, type Server } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FetchProgress } from '../../../src/datasets/fetch/download-file.ts';
import { type FetchOptions, fetchFiles } from '../../../src/datasets/fetch/fetch-files.ts';
import {
  type Answer,
  makeContent,
  makeFetcher,
  PART,
  remoteFile,
  serve,
  startServer,
  status,
} from './rig.ts';

const content = makeContent(300_000);
const other = makeContent(300_000, 2);

afterEach(() => void vi.unstubAllEnvs());

/** What one address that gives these answers leads to. */
async function fetchFrom(
  answers: readonly Answer[],
  { sizeBytes = content.length, ...options }: FetchOptions & { readonly sizeBytes?: number | null } = {},
) {
  const server = await startServer(...answers);
  const fetcher = await makeFetcher();
  const file = remoteFile(content, [server.url()], { sizeBytes });
  const result = await fetcher.fetch(file, { retries: 1, ...options }).catch((error: unknown) => error);
  return { server, fetcher, file, result };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const failure = (code: string, message: string) => ({ code, message: expect.stringContaining(message) });

describe('a download', () => {
  test('is complete and leaves nothing else behind', async () => {
    const { server, fetcher, result } = await fetchFrom([serve(content)]);
    expect(result).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(await fetcher.names()).toEqual(['file.bin']);
    expect(server.requests[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
    expect(fetcher.notes).toEqual([]);
  });

  test('makes the folder, and brings several files in the order of the list', async () => {
    const server = await startServer((request, ...rest) =>
      serve(request.url === '/a' ? content : content.subarray(1))(request, ...rest),
    );
    const folder = path.join((await makeFetcher()).folder, 'data', 'set');
    const files = [
      remoteFile(content, [server.url('/a')], { name: 'a' }),
      remoteFile(content.subarray(1), [server.url('/b')], { name: 'b' }),
    ];
    expect(await fetchFiles(files, folder)).toEqual(['downloaded', 'downloaded']);
    expect(await fetchFiles(files, folder)).toEqual(['already there', 'already there']);
    expect(server.requests.map(({ url }) => url)).toEqual(['/a', '/b']);
  });

  test.each([
    ['announced by the server', content, content.length],
    ['unknown', content, null],
    ['0', Buffer.alloc(0), 0],
  ])('whose size is not published works if it is %s, and reports how far it is', async (_, bytes, length) => {
    const server = await startServer(serve(bytes, { length }));
    const fetcher = await makeFetcher();
    const reports: FetchProgress[] = [];
    const options = { progress: (progress: FetchProgress) => void reports.push(progress) };
    const file = remoteFile(bytes, [server.url()], { sizeBytes: null });
    expect(await fetcher.fetch(file, options)).toBe('downloaded');
    expect(await fetcher.has(bytes)).toBe(true);
    expect(reports[0]).toEqual({ file: 'file.bin', doneBytes: 0, totalBytes: length, bytesPerSecond: 0 });
    expect(reports.at(-1)).toMatchObject({ doneBytes: bytes.length, totalBytes: bytes.length });
  });

  test('onto a disk without room for it is refused before the first byte', async () => {
    const free = { bavail: 100, bsize: 1000 } as fs.StatsFs;
    const statfs = vi.spyOn(fs, 'statfsSync').mockReturnValue(free);
    syncBuiltinESMExports();
    onTestFinished(() => {
      statfs.mockRestore();
      syncBuiltinESMExports();
    });
    const { fetcher, result } = await fetchFrom([serve(content)]);
    expect(result).toMatchObject(failure('disk-enospc', 'needs 300 kB more, but only 100 kB are free'));
    expect(await fetcher.names()).toEqual([]);
  });

  test('onto a disk that becomes full keeps what it has, and the next command continues there', async () => {
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    const full = vi.spyOn(fs, 'appendFileSync').mockImplementation((descriptor, chunk) => {
      const room = 100_000 - fs.fstatSync(descriptor as number).size;
      fs.writeSync(descriptor as number, (chunk as Uint8Array).subarray(0, room));
      if (chunk.length > room) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    });
    syncBuiltinESMExports();
    const recover = () => {
      full.mockRestore();
      syncBuiltinESMExports();
    };
    onTestFinished(recover);
    const file = remoteFile(content, [server.url()]);
    await expect(fetcher.fetch(file)).rejects.toMatchObject({
      code: 'disk-enospc',
      message: 'the disk is full (ENOSPC)',
      fix: expect.stringContaining('finished work is kept'),
    });
    recover();
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual([undefined, 'bytes=100000-']);
  });
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
    const error = await fetchFiles(files, fetcher.folder).catch((error: unknown) => error);
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

test('two downloads into one folder exclude each other: the second says who holds the folder', async () => {
  const fetcher = await makeFetcher();
  let second: unknown;
  const server = await startServer((...exchange) => {
    void fetchFiles([remoteFile(content, [server.url()])], fetcher.folder)
      .catch((error: unknown) => {
        second = error;
      })
      .then(() => serve(content)(...exchange));
  });
  expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
  expect(second).toMatchObject(failure('locked', `process ${process.pid} `));
});

describe('an error status', () => {
  test.each([404, 403, 410, 401, 300])('%i is not asked again', async (code) => {
    const { server, fetcher, result } = await fetchFrom([status(code)]);
    expect(result).toMatchObject({
      ...failure('fetch-failed', `${server.url()}: the server answered ${code} `),
      where: 'file.bin',
      fix: expect.stringContaining('Or download it by hand to '),
    });
    expect(server.requests).toHaveLength(1);
    expect(await fetcher.names()).toEqual([]);
  });

  test.each([429, 500, 502, 503])('%i may pass, and the waits become longer', async (code) => {
    const { server, fetcher, result } = await fetchFrom([status(code)], { retries: 3 });
    expect(result).toMatchObject(failure('fetch-failed', '(4 times in a row)'));
    expect(server.requests).toHaveLength(4);
    const within = (ms: number, longest: number) => ms >= longest / 2 && ms <= longest;
    expect(fetcher.waits.map((ms, i) => within(ms, 1000 * 2 ** i))).toEqual([true, true, true]);
  });

  test('with Retry-After is waited for as long as it says, in seconds or until a date, but not for hours', async () => {
    const date = new Date(Date.now() + 90_000).toUTCString();
    const { fetcher, result } = await fetchFrom(
      [
        status(503, { 'retry-after': '120' }),
        status(429, { 'retry-after': date }),
        status(403, { 'retry-after': '7' }),
        status(503, { 'retry-after': '7200' }),
      ],
      { retries: 5 },
    );
    expect(result).toMatchObject(failure('fetch-failed', 'asks to wait 120 minutes'));
    expect(fetcher.waits.map((ms) => Math.round(ms / 30_000))).toEqual([4, 3, 0]);
    expect(fetcher.waits[2]).toBe(7_000);
  });
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

describe('an answer that is not the file', () => {
  const page: Answer = (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<title>Log in</title>');

  test.each([
    [
      'since it is announced too short',
      serve(content, { length: 200_000 }),
      'announces 200,000 bytes, expected 300,000 bytes: it has another file',
    ],
    [
      'since it is announced too long',
      serve(content, { length: 400_000 }),
      'announces 400,000 bytes, expected 300,000 bytes: it has another file',
    ],
    ['but a page', page, 'sends a web page (text/html; charset=utf-8) instead of the file'],
  ])('%s is recognised at once', async (_, answer, text) => {
    const { server, fetcher, result } = await fetchFrom([answer]);
    expect(result).toMatchObject(failure('fetch-failed', text));
    expect(server.requests).toHaveLength(1);
    expect(await fetcher.names()).toEqual([]);
  });

  test.each([
    ['has other bytes of the same size', content.length, serve(other), '300,000'],
    ['is too short, of unpublished size', null, serve(content, { length: 200_000 }), '200,000'],
    ['never ends', content.length, serve(makeContent(400_000, 2), { length: null }), '300,000'],
  ])(
    'and %s is deleted, tried once more, and reported with both checksums',
    async (_, sizeBytes, answer, size) => {
      const { server, fetcher, result } = await fetchFrom([answer], { sizeBytes });
      const line = `md5 \\w{32}, ${size} bytes, from http:\\S+`;
      const message = new RegExp(`^expected md5 \\w{32}; found, in 2 downloads:\n  ${line}\n  ${line}$`);
      expect(result).toMatchObject({ code: 'fetch-checksum', message: expect.stringMatching(message) });
      expect(server.ranges).toEqual([undefined, undefined]);
      expect(await fetcher.names()).toEqual([]);
    },
  );

  test('but announces nothing and ends early is asked for the rest', async () => {
    const { server, result } = await fetchFrom([
      serve(content.subarray(0, 100_000), { length: null }),
      serve(content),
    ]);
    expect(result).toBe('downloaded');
    expect(server.ranges).toEqual([undefined, 'bytes=100000-']);
  });

  test('but is labelled gzip because it is a .gz file is stored as it is', async () => {
    const packed = gzipSync(content);
    const server = await startServer(serve(packed, { headers: { 'content-encoding': 'x-gzip' } }));
    const fetcher = await makeFetcher();
    const file = remoteFile(packed, [server.url()], { name: 'a.tar.gz' });
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(await fetcher.has(packed, 'a.tar.gz')).toBe(true);
  });
});

describe('a second address', () => {
  test.each([
    ['does not have the file', status(404), 1],
    ['has another file', serve(content.subarray(1)), 1],
    ['stays overloaded', status(503), 3],
    ['sends wrong bytes', serve(other), 1],
  ])('is tried, from the first byte, if the first %s', async (_, answer, requests) => {
    const [bad, good] = [await startServer(answer), await startServer(serve(content))];
    const fetcher = await makeFetcher();
    const file = remoteFile(content, [bad.url(), good.url()]);
    expect(await fetcher.fetch(file, { retries: 2 })).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect([bad.requests.length, good.ranges]).toEqual([requests, [undefined]]);
  });

  test.each([
    ['continues where the first ended', content, ['bytes=100000-']],
    ['starts again once the sum is wrong', other, ['bytes=100000-', undefined]],
  ])('%s', async (_, bytes, ranges) => {
    const first = await startServer(serve(bytes, { cutAfter: 100_000 }), status(404));
    const second = await startServer(serve(content));
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [first.url(), second.url()]))).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(first.ranges).toEqual([undefined, 'bytes=100000-']);
    expect(second.ranges).toEqual(ranges);
    expect(fetcher.notes).toContainEqual(expect.stringContaining(`Trying ${second.url()}.`));
  });

  test('does not help if it fails as well: the error says what each did', async () => {
    const [first, second] = [await startServer(status(404)), await startServer(status(500))];
    const fetcher = await makeFetcher();
    const file = remoteFile(content, [first.url(), second.url()]);
    const lines = [
      'it could not be downloaded:',
      `  ${first.url()}: the server answered 404 Not Found`,
      `  ${second.url()}: the server answered 500 Internal Server Error (2 times in a row)`,
    ];
    await expect(fetcher.fetch(file, { retries: 1 })).rejects.toMatchObject({ message: lines.join('\n') });
  });
});

describe('a connection', () => {
  test('that cannot be made is an error that names the proxy variable', async () => {
    const closed = createSocketServer();
    const port = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const fetching = (await makeFetcher()).fetch(remoteFile(content, [`http://127.0.0.1:${port}/`]), {
      retries: 1,
    });
    await expect(fetching).rejects.toMatchObject({
      code: 'fetch-failed',
      message: expect.stringMatching(/ECONNREFUSED .* \(2 times in a row\)/),
      fix: expect.stringContaining('https_proxy'),
    });
  });

  test('to something that does not speak HTTP is tried again and then reported', async () => {
    const port = await listen(
      createSocketServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
      }),
    );
    const fetching = (await makeFetcher()).fetch(remoteFile(content, [`http://127.0.0.1:${port}/`]), {
      retries: 1,
    });
    await expect(fetching).rejects.toMatchObject(failure('fetch-failed', 'Expected HTTP/'));
  });

  test('on which the server says nothing is given up', async () => {
    const { result } = await fetchFrom([() => {}], { stallSeconds: 0.05 });
    expect(result).toMatchObject(failure('fetch-failed', 'did not answer in time'));
  });

  test('that stalls is given up and made again', async () => {
    const { server, fetcher, result } = await fetchFrom(
      [serve(content, { stallAfter: 100_000 }), serve(content)],
      { stallSeconds: 1 },
    );
    expect(result).toBe('downloaded');
    expect(server.ranges.slice(0, 2)).toEqual([undefined, 'bytes=100000-']);
    expect(fetcher.notes[0]).toContain('the server stopped sending after 100,000 of 300,000 bytes');
  });

  test('that is cut is made again, and the rest is asked for', async () => {
    const { server, fetcher, result } = await fetchFrom([
      serve(content, { cutAfter: 100_000 }),
      serve(content),
    ]);
    expect(result).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual([undefined, 'bytes=100000-']);
    expect(server.sentBytes).toBe(content.length);
    expect(fetcher.notes).toEqual([
      expect.stringContaining('after 100,000 of 300,000 bytes. Trying again in '),
    ]);
    expect(await fetcher.names()).toEqual(['file.bin']);
  });

  test('that is cut does not count as long as each try brings bytes', async () => {
    const { server, fetcher, result } = await fetchFrom([serve(content, { cutAfter: 40_000 })], {
      retries: 0,
    });
    expect(result).toBe('downloaded');
    expect(server.requests).toHaveLength(8);
    expect(server.sentBytes).toBe(content.length);
    // Each wait is the first one: nothing went wrong twice in a row.
    expect(Math.max(...fetcher.waits)).toBeLessThanOrEqual(1000);
  });

  test('that always breaks at the same place counts; the part is kept', async () => {
    const answers = [serve(content, { cutAfter: 100_000 }), serve(content, { cutAfter: 0 })];
    const { server, fetcher, result } = await fetchFrom(answers, { retries: 3 });
    expect(result).toMatchObject({
      ...failure('fetch-failed', '(4 times in a row)'),
      fix: expect.stringContaining('100,000 bytes are kept'),
    });
    expect(server.requests).toHaveLength(5);
    expect((await fetcher.part()).equals(content.subarray(0, 100_000))).toBe(true);
  });

  test('that is cut by a server without ranges starts over, and ends even if it never gets further', async () => {
    const answer = serve(content, { ignoresRange: true, cutAfter: 100_000 });
    const { server, result } = await fetchFrom([answer], { retries: 2 });
    expect(result).toMatchObject({
      code: 'fetch-failed',
      fix: expect.stringContaining('100,000 bytes are kept'),
    });
    expect(server.requests).toHaveLength(4);
  });
});

describe('a second command', () => {
  /** Leaves 100,000 bytes, and serves the rest. */
  async function interrupted(...answers: readonly Answer[]) {
    const { fetcher } = await fetchFrom([serve(content, { cutAfter: 100_000 }), status(404)]);
    expect(await fetcher.names()).toEqual([PART]);
    const server = await startServer(...answers);
    return { fetcher, server, file: remoteFile(content, [server.url()]) };
  }

  test('continues what the first one left', async () => {
    const { fetcher, server, file } = await interrupted(serve(content));
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-']);
    expect(server.sentBytes).toBe(200_000);
  });

  test('starts over if the server ignores the range', async () => {
    const { fetcher, server, file } = await interrupted(serve(content, { ignoresRange: true }));
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-']);
    expect(fetcher.notes.at(-1)).toContain('the server cannot continue after 100,000 bytes');
  });

  test.each([
    ['from another byte', 206, { 'content-range': 'bytes 99999-299999/300000' }],
    ['without saying which', 206, {}],
    ['that does not exist (416)', 416, { 'content-range': 'bytes */300000' }],
  ])('starts over if the server sends a range %s', async (_, code, headers) => {
    const { fetcher, server, file } = await interrupted((_request, response, bad) => {
      response.writeHead(code, headers as Record<string, string>);
      bad.send(response, other.subarray(0, 200_000), () => response.end());
    }, serve(content));
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-', undefined]);
  });

  test('accepts a range in portions', async () => {
    const portion =
      (first: number, last: number): Answer =>
      (_request, response, bad) => {
        response.writeHead(206, { 'content-range': `bytes ${first}-${last}/300000` });
        bad.send(response, content.subarray(first, last + 1), () => response.end());
      };
    const { fetcher, server, file } = await interrupted(portion(100_000, 199_999), portion(200_000, 299_999));
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-', 'bytes=200000-']);
  });

  test('asks for nothing if only the last step is missing', async () => {
    const { fetcher, server, file } = await interrupted(serve(content));
    await fetcher.write(PART, content);
    expect(await fetcher.fetch({ ...file, sizeBytes: null })).toBe('downloaded');
    expect(server.requests).toEqual([]);
    expect(await fetcher.names()).toEqual(['file.bin']);
  });

  test('replaces a part that was damaged meanwhile, once it is complete', async () => {
    const { fetcher, server, file } = await interrupted(serve(content));
    await fetcher.write(PART, other.subarray(0, 100_000));
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-', undefined]);
    const note = /complete, but its md5 \w+ is not \w+\. Deleted; downloading it once more\./;
    expect(fetcher.notes.join('\n')).toMatch(note);
  });
});

describe('an abort', () => {
  test('in mid-download keeps the part and says that running again resumes', async () => {
    const server = await startServer(serve(content, { stallAfter: 100_000 }), serve(content));
    const fetcher = await makeFetcher();
    const controller = new AbortController();
    const file = remoteFile(content, [server.url()]);
    const progress = ({ doneBytes }: { doneBytes: number }) => {
      if (doneBytes > 0) controller.abort('SIGINT');
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

  test('while reading a file that is already there says so', async () => {
    const fetcher = await makeFetcher();
    await fetcher.write('file.bin', content);
    const fetching = fetcher.fetch(remoteFile(content, ['http://data.invalid/']), {
      signal: AbortSignal.abort('SIGINT'),
    });
    const message = 'Interrupted while checking file.bin.';
    await expect(fetching).rejects.toMatchObject({ code: 'fetch-interrupted', message });
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

  test('that refuses a tunnel is named in the error by its variable only', async () => {
    const proxy = createServer();
    proxy.on('connect', (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    vi.stubEnv('https_proxy', `http://me:secret@127.0.0.1:${await listen(proxy)}`);
    const fetching = (await makeFetcher()).fetch(remoteFile(content, ['https://data.invalid/a']), {
      retries: 0,
    });
    const error = await fetching.catch((error: unknown) => error);
    expect(error).toMatchObject({
      ...failure('fetch-failed', 'the proxy refused the connection'),
      fix: expect.stringContaining('https_proxy'),
    });
    expect(JSON.stringify([(error as Error).message, error])).not.toContain('secret');
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
