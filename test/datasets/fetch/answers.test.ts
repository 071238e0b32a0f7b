import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Answer, serve, startServer, status } from './bad-server.ts';
import { makeContent, makeFetcher, remoteFile } from './rig.ts';

const content = makeContent(300_000);
const other = makeContent(300_000, 2);

/** What one address that always answers like this leads to. */
async function fetchFrom(answer: Answer, sizeBytes: number | null = content.length, retries = 1) {
  const server = await startServer(answer);
  const fetcher = await makeFetcher();
  const file = remoteFile(content, [server.url()], { sizeBytes });
  const result = await fetcher.fetch(file, { retries }).catch((error: unknown) => error);
  return { server, fetcher, result };
}

describe('an error status', () => {
  test.each([404, 403, 410, 401, 300])('%i is not asked again', async (code) => {
    const { server, fetcher, result } = await fetchFrom(status(code));
    expect(result).toMatchObject({
      code: 'fetch-failed',
      where: 'file.bin',
      message: expect.stringContaining(`${server.url()}: the server answered ${code} `),
      fix: expect.stringContaining('Or download it by hand to '),
    });
    expect(server.requests).toHaveLength(1);
    expect(await fetcher.names()).toEqual([]);
  });

  test.each([429, 500, 502, 503])('%i may pass, and the waits become longer', async (code) => {
    const { server, fetcher, result } = await fetchFrom(status(code), content.length, 3);
    expect(result).toMatchObject({
      code: 'fetch-failed',
      message: expect.stringContaining('(4 times in a row)'),
    });
    expect(server.requests).toHaveLength(4);
    const within = (ms: number, longest: number) => ms >= longest / 2 && ms <= longest;
    expect(fetcher.waits.map((ms, i) => within(ms, 1000 * 2 ** i))).toEqual([true, true, true]);
  });

  test('with Retry-After is waited for as long as it says, in seconds or until a date of its own clock', async () => {
    const server = await startServer(
      status(503, { 'retry-after': '120' }),
      status(429, { 'retry-after': 'Mon, 01 Jan 2024 00:01:30 GMT', date: 'Mon, 01 Jan 2024 00:00:00 GMT' }),
      status(403, { 'retry-after': '7' }),
      serve(content),
    );
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(fetcher.waits).toEqual([120_000, 90_000, 7_000]);
  });

  test('with a Retry-After that is too long is given up', async () => {
    const { fetcher, result } = await fetchFrom(status(503, { 'retry-after': '7200' }));
    expect(result).toMatchObject({ message: expect.stringContaining('asks to wait 120 minutes') });
    expect(fetcher.waits).toEqual([]);
  });
});

describe('a redirect', () => {
  const to = (location: string, code = 302): Answer => status(code, { location });

  test('is followed, relative or absolute, and keeps the range', async () => {
    const target = await startServer(serve(content, { cutAfter: 100_000 }), serve(content));
    const server = await startServer(to('/next', 301), to(target.url('/signed?secret')));
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(server.requests.map(({ url }) => url)).toEqual(['/file.bin', '/next', '/file.bin']);
    expect(target.ranges).toEqual([undefined, 'bytes=100000-']);
    expect(fetcher.notes.join('\n')).not.toContain('secret');
  });

  test.each([
    ['in a circle', { location: '/file.bin' }, 'redirects more than 10 times'],
    ['without a target', {}, 'without saying where to'],
    [
      'to another protocol',
      { location: 'ftp://example.org/a?b' },
      'from http: to ftp: (ftp://example.org/a)',
    ],
  ])('%s is given up', async (_, headers, text) => {
    const { result } = await fetchFrom(status(302, headers as Record<string, string>));
    expect(result).toMatchObject({ code: 'fetch-failed', message: expect.stringContaining(text) });
  });
});

describe('a server that lies about the length', () => {
  test.each([200_000, 400_000])(
    'and announces %i bytes instead of the published number is not believed',
    async (length) => {
      const { server, fetcher, result } = await fetchFrom(serve(content, { length }));
      expect(result).toMatchObject({
        code: 'fetch-failed',
        message: expect.stringContaining(
          `the server announces ${length.toLocaleString('en-US')} bytes, expected 300,000 bytes: it has another file`,
        ),
      });
      expect(server.requests).toHaveLength(1);
      expect(await fetcher.names()).toEqual([]);
    },
  );

  test('(too short), of a file of unknown size, is found out by the checksum', async () => {
    const { server, fetcher, result } = await fetchFrom(serve(content, { length: 200_000 }), null);
    expect(result).toMatchObject({
      code: 'fetch-checksum',
      message: expect.stringMatching(
        /expected md5 \w{32}; found, in 2 downloads:\n {2}md5 \w{32}, 200,000 bytes, from/,
      ),
    });
    expect(server.requests).toHaveLength(2);
    expect(await fetcher.names()).toEqual([]);
  });

  test('(too long), of a file of unknown size, is found out by asking for the rest', async () => {
    const server = await startServer(
      serve(content, { length: 400_000, cutAfter: 300_000 }),
      status(416, { 'content-range': 'bytes */300000' }),
    );
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [server.url()], { sizeBytes: null }))).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
  });

  test('by announcing nothing and ending early is asked for the rest', async () => {
    const server = await startServer(serve(content.subarray(0, 100_000), { length: null }), serve(content));
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(server.ranges).toEqual([undefined, 'bytes=100000-']);
  });

  test('by sending without end is cut off after the published size', async () => {
    const endless: Answer = (_, response, server) => {
      response.writeHead(200);
      const more = () => {
        if (!response.destroyed) server.send(response, other, () => setImmediate(more));
      };
      more();
    };
    const { server, fetcher, result } = await fetchFrom(endless);
    expect(result).toMatchObject({
      code: 'fetch-checksum',
      message: expect.stringContaining(', 300,000 bytes, from'),
    });
    expect(server.requests).toHaveLength(2);
    expect(await fetcher.names()).toEqual([]);
  });
});

describe('an answer that is not the file', () => {
  test('but a page is recognised', async () => {
    const page: Answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<title>Log in</title>');
    };
    for (const size of [content.length, null]) {
      const { fetcher, result } = await fetchFrom(page, size);
      expect(result).toMatchObject({
        code: 'fetch-failed',
        message: expect.stringContaining('sends a web page (text/html; charset=utf-8) instead of the file'),
      });
      expect(await fetcher.names()).toEqual([]);
    }
  });

  test('although it is called a page is accepted if it has the published size', async () => {
    const { result } = await fetchFrom(serve(content, { headers: { 'content-type': 'text/html' } }));
    expect(result).toBe('downloaded');
  });

  test('but gzip of it is refused, since it was not asked for', async () => {
    const packed = gzipSync(content);
    const { fetcher, result } = await fetchFrom(
      serve(packed, { headers: { 'content-encoding': 'gzip' } }),
      null,
    );
    expect(result).toMatchObject({ message: expect.stringContaining('sends the file encoded (gzip)') });
    expect(await fetcher.names()).toEqual([]);
  });

  test('but labelled gzip because it is a .gz file is stored as it is', async () => {
    const packed = gzipSync(content);
    const server = await startServer(serve(packed, { headers: { 'content-encoding': 'x-gzip' } }));
    const fetcher = await makeFetcher();
    const file = remoteFile(packed, [server.url()], { name: 'a.tar.gz' });
    expect(await fetcher.fetch(file)).toBe('downloaded');
    expect(await fetcher.has(packed, 'a.tar.gz')).toBe(true);
  });

  test('but other bytes of the same size is deleted, tried once more, and reported with both checksums', async () => {
    const { server, fetcher, result } = await fetchFrom(serve(other));
    expect(result).toMatchObject({
      code: 'fetch-checksum',
      message: expect.stringMatching(
        /^expected md5 \w{32}, 300,000 bytes; found, in 2 downloads:\n(?: {2}md5 \w{32}, 300,000 bytes, from http:\S+\n?){2}$/,
      ),
    });
    expect(server.ranges).toEqual([undefined, undefined]);
    expect(await fetcher.names()).toEqual([]);
  });

  test('nor HTTP at all is tried again and then reported', async () => {
    const server = createSocketServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const fetcher = await makeFetcher();
    const file = remoteFile(content, [`http://127.0.0.1:${(server.address() as AddressInfo).port}/`]);
    const fetching = fetcher.fetch(file, { retries: 1 });
    await expect(fetching).rejects.toMatchObject({
      code: 'fetch-failed',
      message: expect.stringContaining('not valid HTTP'),
    });
    expect(fetcher.waits).toHaveLength(1);
  });
});

describe('a second address', () => {
  test.each([
    ['does not have the file', status(404)],
    ['has another file', serve(content.subarray(1))],
    ['is overloaded', status(503)],
  ])('is tried at once if the first %s', async (_, answer) => {
    const [bad, good] = [await startServer(answer), await startServer(serve(content))];
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [bad.url(), good.url()]))).toBe('downloaded');
    expect(bad.requests).toHaveLength(1);
    expect(fetcher.waits).toEqual([]);
    expect(fetcher.notes.at(-1)).toContain(`Trying ${good.url()}.`);
  });

  test('is tried if the bytes of the first are wrong', async () => {
    const [bad, good] = [await startServer(serve(other)), await startServer(serve(content))];
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [bad.url(), good.url()]))).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect([bad.requests.length, good.ranges]).toEqual([1, [undefined]]);
  });

  test('starts from the beginning: two sources are never mixed', async () => {
    const first = await startServer(serve(other, { cutAfter: 100_000 }), status(404));
    const second = await startServer(serve(content));
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [first.url(), second.url()]))).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(first.ranges).toEqual([undefined, 'bytes=100000-']);
    expect(second.ranges).toEqual([undefined]);
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

describe('without a connection', () => {
  test('the error says so and names the proxy variable', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const fetcher = await makeFetcher();
    const fetching = fetcher.fetch(remoteFile(content, [`http://127.0.0.1:${port}/`]), { retries: 1 });
    await expect(fetching).rejects.toMatchObject({
      code: 'fetch-failed',
      message: expect.stringContaining('the connection was refused (ECONNREFUSED) (2 times in a row)'),
      fix: expect.stringContaining('https_proxy'),
    });
  });
});
