import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  type Answer,
  content,
  failure,
  fetchFrom,
  makeContent,
  makeFetcher,
  other,
  remoteFile,
  serve,
  startServer,
  status,
} from './rig.ts';

describe('an error status', () => {
  test.each([404, 403, 410, 401, 300])('%i is not asked again', async (code) => {
    const { server, fetcher, result } = await fetchFrom([status(code)]);
    expect(result).toMatchObject({
      ...failure('fetch-failed', `${server.url()}: the server answered ${code} `),
      where: 'file.bin',
      // Another try would not help.
      fix: expect.stringMatching(
        /^By hand: download it from https:\/\/publisher\.invalid\/ to .*file\.bin, then run/,
      ),
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

  /** Announces 3 MB, sends a page and nothing more, so that waiting for the rest would end the test. */
  const disguised =
    (page: string): Answer =>
    (_, response) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-length': 3e6 };
      response.writeHead(200, headers).write(page);
    };

  test.each([
    [
      'DvsGesture.tar.gz',
      '<!DOCTYPE html>\n<title>Log in</title>',
      'no .gz file, but something that begins with "<!DOCTYPE html>"',
    ],
    ['Train.zip', '\r\n<html lang="en">', 'no .zip file, but something that begins with "<html lang="en">"'],
    [
      'Train.zip',
      '{"message": "quota"}',
      'no .zip file, but something that begins with "{"message": "quota"}"',
    ],
  ])('is recognised by its first bytes: %s as %j', async (name, page, text) => {
    const { server, fetcher, result } = await fetchFrom([disguised(page)], { name, sizeBytes: null });
    expect(result).toMatchObject(failure('fetch-failed', `${server.url()}: the server sends ${text}`));
    expect(server.requests).toHaveLength(1);
    expect(await fetcher.names()).toEqual([]);
  });

  /** Sends the first byte by itself: undici passes each chunk of a body on. */
  const inTwo =
    (bytes: Uint8Array): Answer =>
    (_, response) => {
      response.write(bytes.subarray(0, 1));
      response.end(bytes.subarray(1));
    };

  test('is not taken for one whose first byte comes by itself, and is recognised then too', async () => {
    const gz = gzipSync(content);
    const fetcher = await makeFetcher();
    const fetch = async (name: string, ...answers: readonly Answer[]) => {
      const server = await startServer(...answers);
      return fetcher.fetch(remoteFile(gz, [server.url()], { name }), { retries: 1 });
    };
    expect(await fetch('a.gz', inTwo(gz))).toBe('downloaded');
    expect(await fetch('b.gz', serve(gz.subarray(0, 1), { length: null }), serve(gz))).toBe('downloaded');
    expect([await fetcher.has(gz, 'a.gz'), await fetcher.has(gz, 'b.gz')]).toEqual([true, true]);
    await expect(fetch('c.gz', inTwo(Buffer.from('\x1f<html>')))).rejects.toMatchObject(
      failure('fetch-failed', 'the server sends no .gz file, but something that begins with "<html>"'),
    );
  });

  test.each([
    [
      '202, a check for browsers',
      status(202, { 'x-amzn-waf-action': 'challenge' }),
      'answered 202 Accepted instead of the file',
    ],
    ['200 and 0 bytes', serve(Buffer.alloc(0)), 'sends nothing'],
    ['200 and a body that ends at once', serve(Buffer.alloc(0), { length: null }), 'sends nothing'],
  ])('but %s is recognised at once', async (_, answer, text) => {
    const { server, fetcher, result } = await fetchFrom([answer], { sizeBytes: null });
    expect(result).toMatchObject(failure('fetch-failed', text));
    expect(server.requests).toHaveLength(1);
    expect(await fetcher.names()).toEqual([]);
  });

  test.each([
    ['a page', disguised('<html>')],
    ['nothing', serve(Buffer.alloc(0))],
  ])('and is %s leaves what an earlier command has brought', async (_, answer) => {
    const zip = Buffer.concat([Buffer.from('PK'), content]);
    const [first, bad, good] = [
      await startServer(serve(zip, { cutAfter: 100_000 }), status(404)),
      await startServer(answer),
      await startServer(serve(zip)),
    ];
    const fetcher = await makeFetcher();
    const at = (...urls: string[]) => remoteFile(zip, urls, { name: 'a.zip', sizeBytes: null });
    await expect(fetcher.fetch(at(first.url()))).rejects.toMatchObject({ code: 'fetch-failed' });
    expect(await fetcher.fetch(at(bad.url(), good.url()))).toBe('downloaded');
    expect(await fetcher.has(zip, 'a.zip')).toBe(true);
    expect([bad.ranges, good.ranges]).toEqual([['bytes=100000-'], ['bytes=100000-']]);
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

  test('but does not end, of unknown size, is stopped at a limit, and the next address starts anew', async () => {
    const endless = serve(makeContent(3_000_000), { length: null });
    const [bad, good] = [await startServer(endless), await startServer(serve(content))];
    const fetcher = await makeFetcher();
    const file = remoteFile(content, [bad.url(), good.url()], { sizeBytes: null });
    expect(await fetcher.fetch(file, { mostBytes: 1e6 })).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(fetcher.notes).toEqual([
      `file.bin: ${bad.url()}: the server sends more than 1.0 MB, which is too long for this file. Trying ${good.url()}.`,
    ]);
    expect([bad.ranges, good.ranges]).toEqual([[undefined], [undefined]]);
  });

  test('but announces nothing and ends early is asked for the rest', async () => {
    const { server, result } = await fetchFrom([
      serve(content.subarray(0, 100_000), { length: null }),
      serve(content),
    ]);
    expect(result).toBe('downloaded');
    expect(server.ranges).toEqual([undefined, 'bytes=100000-']);
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

  test('is named in one line if the first leads to a deleted file at another host', async () => {
    const [gone, good] = [await startServer(status(410)), await startServer(serve(content))];
    const first = await startServer(status(302, { location: gone.url('/signed') }));
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [first.url(), good.url()]))).toBe('downloaded');
    expect(fetcher.notes).toEqual([
      `file.bin: ${first.url()}: the server answered 410 Gone. Trying ${good.url()}.`,
    ]);
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
