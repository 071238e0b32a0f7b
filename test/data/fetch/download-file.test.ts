import dns from 'node:dns';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer as createSocketServer } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Answer,
  content,
  type FetchProgress,
  failure,
  fetchFrom,
  listen,
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
    const total = length === null ? 0 : 0.3;
    expect(reports[0]).toEqual({ done: 0, total, unit: 'MB', note: 'file.bin · 0 B' });
    expect(reports.at(-1)).toEqual({ done: 0.3, total: 0.3, unit: 'MB', note: 'file.bin · 300 kB' });
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

describe('a connection', () => {
  /** Looks names up as told, the last answer again and again; null: the name is not known, as without internet. */
  function lookUp(...addresses: readonly ('127.0.0.1' | null)[]): void {
    let count = 0;
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((_: string, __: object, done: LookedUp) => {
      const address = addresses[Math.min(count, addresses.length - 1)];
      count += 1;
      if (address) done(null, [{ address, family: 4 }]);
      else done(Object.assign(new Error('getaddrinfo ENOTFOUND data.invalid'), { code: 'ENOTFOUND' }));
    }) as unknown as typeof dns.lookup);
    syncBuiltinESMExports();
    onTestFinished(() => {
      lookup.mockRestore();
      syncBuiltinESMExports();
    });
  }
  type LookedUp = (error: Error | null, found?: dns.LookupAddress[]) => void;

  test.each([
    ['to a closed port', '127.0.0.1'],
    ['without internet', 'data.invalid'],
  ])(
    'that cannot be made %s is tried once more only, and the error names the proxy variable',
    async (_, host) => {
      const closed = createSocketServer();
      const port = await listen(closed);
      await new Promise((resolve) => closed.close(resolve));
      lookUp(null);
      const fetcher = await makeFetcher();
      const fetching = fetcher.fetch(remoteFile(content, [`http://${host}:${port}/`]));
      await expect(fetching).rejects.toMatchObject({
        code: 'fetch-failed',
        message: expect.stringMatching(/(ECONNREFUSED|ENOTFOUND) .* \(2 times in a row\)/),
        fix: expect.stringContaining('https_proxy'),
      });
      expect(fetcher.waits).toHaveLength(1);
      expect(fetcher.notes).toEqual([expect.stringContaining(' (1 of 1).')]);
    },
  );

  test('that cannot be made again in the middle of a file is waited for as often as any other', async () => {
    const server = await startServer(serve(content, { cutAfter: 100_000 }));
    const fetcher = await makeFetcher();
    lookUp('127.0.0.1', null);
    const url = server.url().replace('127.0.0.1', 'data.invalid');
    await expect(fetcher.fetch(remoteFile(content, [url]), { retries: 3 })).rejects.toMatchObject({
      message: expect.stringMatching(/ENOTFOUND .* \(4 times in a row\)/),
      fix: expect.stringContaining('100,000 bytes are kept'),
    });
    expect(fetcher.waits).toHaveLength(4);
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
    expect(await fetcher.fetch({ name: file.name, md5: file.md5, urls: file.urls! })).toBe('downloaded');
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
