import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer as createSocketServer } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FetchProgress } from '../../../src/data/fetch/download-file.ts';
import {
  type Answer,
  content,
  failure,
  fetchFrom,
  listen,
  makeContent,
  makeFetcher,
  other,
  PART,
  remoteFile,
  serve,
  startServer,
  status,
} from './rig.ts';

describe('a download', () => {
  test('is complete and leaves nothing else behind', async () => {
    const { server, fetcher, result } = await fetchFrom([serve(content)]);
    expect(result).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(await fetcher.names()).toEqual(['file.bin']);
    expect(server.requests[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
    expect(fetcher.notes).toEqual([]);
  });

  test.each([
    ['announced by the server', content, content.length],
    ['unknown', content, null],
  ])('whose size is not published works if it is %s, and reports how far it is', async (_, bytes, length) => {
    const server = await startServer(serve(bytes, { length }));
    const fetcher = await makeFetcher();
    const reports: FetchProgress[] = [];
    const options = { progress: (progress: FetchProgress) => void reports.push(progress) };
    const file = remoteFile(bytes, [server.url()], { sizeBytes: null });
    expect(await fetcher.fetch(file, options)).toBe('downloaded');
    expect(await fetcher.has(bytes)).toBe(true);
    expect(reports[0]).toEqual({ file: 'file.bin', doneBytes: 0, totalBytes: length });
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
