import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Answer, serve, startServer, status } from './bad-server.ts';
import { makeContent, makeFetcher, remoteFile } from './rig.ts';

const content = makeContent(300_000);
const other = makeContent(300_000, 2);

describe('a connection that is cut', () => {
  test('is made again, and the rest of the same version is asked for', async () => {
    const server = await startServer(serve(content, { cutAfter: 100_000 }), serve(content));
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual([undefined, 'bytes=100000-']);
    expect(server.requests[1]?.headers['if-range']).toBe('"1"');
    expect(server.sentBytes).toBe(content.length);
    expect(fetcher.notes).toEqual([
      expect.stringContaining('after 100,000 of 300,000 bytes. Trying again in '),
    ]);
    expect(await fetcher.names()).toEqual(['file.bin']);
  });

  test('does not count as long as each try brings bytes', async () => {
    const server = await startServer(serve(content, { cutAfter: 40_000 }));
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [server.url()]), { retries: 0 })).toBe('downloaded');
    expect(server.requests).toHaveLength(8);
    expect(server.sentBytes).toBe(content.length);
    // Each wait is the first one: nothing went wrong twice in a row.
    expect(Math.max(...fetcher.waits)).toBeLessThanOrEqual(1000);
  });

  test('counts if it always breaks at the same place; the part is kept', async () => {
    const server = await startServer(serve(content, { cutAfter: 100_000 }), serve(content, { cutAfter: 0 }));
    const fetcher = await makeFetcher();
    await expect(fetcher.fetch(remoteFile(content, [server.url()]), { retries: 3 })).rejects.toMatchObject({
      code: 'fetch-failed',
      message: expect.stringContaining('(4 times in a row)'),
      fix: expect.stringContaining('100,000 bytes are kept'),
    });
    expect(server.requests).toHaveLength(5);
    expect((await fetcher.part()).equals(content.subarray(0, 100_000))).toBe(true);
  });

  test('before the server said which version it sends starts over, and ends even if it never gets further', async () => {
    const server = await startServer(serve(content, { etag: '', cutAfter: 100_000 }));
    const fetcher = await makeFetcher();
    const fetching = fetcher.fetch(remoteFile(content, [server.url()]), { retries: 2 });
    await expect(fetching).rejects.toMatchObject({ code: 'fetch-failed' });
    expect(server.ranges).toEqual([undefined, undefined, undefined, undefined]);
  });

  test.each([
    ['a weak ETag', { etag: 'W/"1"' }],
    [
      'a date of this very second',
      {
        etag: '',
        headers: { date: 'Tue, 02 Jan 2024 00:00:00 GMT', 'last-modified': 'Tue, 02 Jan 2024 00:00:00 GMT' },
      },
    ],
  ])('is not continued on the strength of %s', async (_, version) => {
    const server = await startServer(
      serve(content, { ...version, cutAfter: 100_000 }),
      serve(content, version),
    );
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(server.ranges).toEqual([undefined, undefined]);
  });

  test('is continued on the strength of an older date', async () => {
    const date = 'Mon, 01 Jan 2024 00:00:00 GMT';
    const headers = { date: 'Tue, 02 Jan 2024 00:00:00 GMT', 'last-modified': date };
    const server = await startServer(
      serve(content, { etag: '', headers, cutAfter: 100_000 }),
      (_, response, bad) => {
        response.writeHead(206, { ...headers, 'content-range': 'bytes 100000-299999/300000' });
        bad.send(response, content.subarray(100_000), () => response.end());
      },
    );
    const fetcher = await makeFetcher();
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(server.requests[1]?.headers).toMatchObject({ range: 'bytes=100000-', 'if-range': date });
    expect(server.sentBytes).toBe(content.length);
  });
});

test('a connection that stalls is given up and made again', async () => {
  const server = await startServer(serve(content, { stallAfter: 100_000 }), serve(content));
  const fetcher = await makeFetcher();
  expect(await fetcher.fetch(remoteFile(content, [server.url()]), { stallSeconds: 1 })).toBe('downloaded');
  expect(await fetcher.has(content)).toBe(true);
  expect(server.ranges.slice(0, 2)).toEqual([undefined, 'bytes=100000-']);
  expect(fetcher.notes[0]).toContain('the server stopped sending after 100,000 of 300,000 bytes');
});

test('a server that accepts the request and says nothing is given up', async () => {
  const server = await startServer(() => {});
  const fetcher = await makeFetcher();
  const fetching = fetcher.fetch(remoteFile(content, [server.url()]), { stallSeconds: 0.05, retries: 1 });
  await expect(fetching).rejects.toMatchObject({
    code: 'fetch-failed',
    message: expect.stringContaining('did not answer in time'),
  });
});

describe('a second command', () => {
  /** Leaves 100,000 bytes. */
  async function interrupt(version: { etag: string } = { etag: '"1"' }) {
    const server = await startServer(serve(content, { ...version, cutAfter: 100_000 }), status(404));
    const fetcher = await makeFetcher();
    await fetcher.fetch(remoteFile(content, [server.url()])).catch(() => {});
    expect(await fetcher.names()).toEqual(['file.bin.part', 'file.bin.part.json']);
    return fetcher;
  }

  /** The address is the one that the part came from. */
  async function move(fetcher: { folder: string }, url: string): Promise<void> {
    const file = path.join(fetcher.folder, 'file.bin.part.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/http:[^"]+/, url));
  }

  test('continues what the first one left', async () => {
    const fetcher = await interrupt();
    const server = await startServer(serve(content));
    await move(fetcher, server.url());
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('resumed');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-']);
    expect(server.sentBytes).toBe(200_000);
  });

  test('goes on at the address that the part came from, even if it is not the first', async () => {
    const fetcher = await interrupt();
    const server = await startServer(serve(content));
    await move(fetcher, server.url('/mirror'));
    const file = remoteFile(content, [server.url('/first'), server.url('/mirror')]);
    expect(await fetcher.fetch(file)).toBe('resumed');
    expect(server.requests.map(({ url }) => url)).toEqual(['/mirror']);
  });

  test('starts over if the file on the server has changed, and never mixes two versions', async () => {
    const fetcher = await interrupt();
    const server = await startServer(serve(other, { etag: '"2"' }));
    await move(fetcher, server.url());
    expect(await fetcher.fetch(remoteFile(other, [server.url()]))).toBe('downloaded');
    expect(await fetcher.has(other)).toBe(true);
    // The list has another checksum now, so the old part is not even asked about.
    expect(server.ranges).toEqual([undefined]);
  });

  test('starts over if the server ignores the range, or has another version', async () => {
    for (const answer of [serve(content, { ignoresRange: true }), serve(content, { etag: '"2"' })]) {
      const fetcher = await interrupt();
      const server = await startServer(answer);
      await move(fetcher, server.url());
      expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
      expect(await fetcher.has(content)).toBe(true);
      expect(server.ranges).toEqual(['bytes=100000-']);
      expect(fetcher.notes.at(-1)).toBe(
        'file.bin: 100,000 bytes of an earlier download cannot be continued: starting from the beginning.',
      );
    }
  });

  test.each([
    ['from another byte', 206, { 'content-range': 'bytes 99999-299999/300000' }],
    ['without saying which', 206, {}],
    [
      'of another version, in spite of If-Range',
      206,
      { etag: '"2"', 'content-range': 'bytes 100000-299999/300000' },
    ],
    ['that contradicts itself', 206, { 'content-range': 'bytes 100000-99999/300000' }],
    ['that does not exist (416)', 416, { 'content-range': 'bytes */300000' }],
  ])('starts over if the server sends a range %s', async (_, code, headers) => {
    const fetcher = await interrupt();
    const server = await startServer((_request, response, bad) => {
      response.writeHead(code, headers as Record<string, string>);
      bad.send(response, other.subarray(0, 200_000), () => response.end());
    }, serve(content));
    await move(fetcher, server.url());
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-', undefined]);
  });

  test('accepts a range in portions', async () => {
    const fetcher = await interrupt();
    const portion =
      (first: number, last: number): Answer =>
      (_request, response, bad) => {
        response.writeHead(206, { etag: '"1"', 'content-range': `bytes ${first}-${last}/300000` });
        bad.send(response, content.subarray(first, last + 1), () => response.end());
      };
    const server = await startServer(portion(100_000, 199_999), portion(200_000, 299_999));
    await move(fetcher, server.url());
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('resumed');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-', 'bytes=200000-']);
  });

  test('asks for nothing if only the last step is missing', async () => {
    const fetcher = await interrupt();
    await writeFile(path.join(fetcher.folder, 'file.bin.part'), content);
    const server = await startServer(serve(content));
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('resumed');
    expect(server.requests).toEqual([]);
    expect(await fetcher.names()).toEqual(['file.bin']);
  });

  test('learns from a 416 that all is here, if the size is not published', async () => {
    const fetcher = await interrupt();
    await writeFile(path.join(fetcher.folder, 'file.bin.part'), content);
    const server = await startServer(status(416, { 'content-range': 'bytes */300000' }));
    await move(fetcher, server.url());
    expect(await fetcher.fetch(remoteFile(content, [server.url()], { sizeBytes: null }))).toBe('resumed');
    expect(server.ranges).toEqual(['bytes=300000-']);
  });

  test('replaces a part that was damaged meanwhile, once it is complete', async () => {
    const fetcher = await interrupt();
    await writeFile(path.join(fetcher.folder, 'file.bin.part'), other.subarray(0, 100_000));
    const server = await startServer(serve(content));
    await move(fetcher, server.url());
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=100000-', undefined]);
    expect(fetcher.notes.join('\n')).toMatch(
      /complete, but its md5 \w+ is not \w+\. Deleted; downloading it once more\./,
    );
  });

  test('starts over if the note beside the part is damaged', async () => {
    const fetcher = await interrupt();
    await writeFile(path.join(fetcher.folder, 'file.bin.part.json'), '{"version": 1');
    const server = await startServer(serve(content));
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(server.ranges).toEqual([undefined]);
  });

  test('does not touch a part that another program made', async () => {
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    const part = path.join(fetcher.folder, 'file.bin.part');
    await writeFile(part, 'a browser is at work');
    await expect(fetcher.fetch(remoteFile(content, [server.url()]))).rejects.toMatchObject({
      code: 'fetch-part-unknown',
    });
    expect((await stat(part)).size).toBe(20);
    expect(server.requests).toEqual([]);
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
        /^Interrupted while downloading file\.bin; [\d,]+ bytes are kept in file\.bin\.part\.$/,
      ),
      fix: expect.stringContaining('continues there'),
    });
    const kept = (await fetcher.part()).length;
    expect(kept).toBeGreaterThan(0);
    expect(await fetcher.fetch(file)).toBe('resumed');
    expect(server.ranges.at(-1)).toBe(`bytes=${kept}-`);
    expect(await fetcher.has(content)).toBe(true);
  });

  test('before or between tries makes no further request', async () => {
    const server = await startServer(status(503));
    const fetcher = await makeFetcher();
    const file = remoteFile(content, [server.url()]);
    const early = fetcher.fetch(file, { signal: AbortSignal.abort('SIGINT') });
    await expect(early).rejects.toMatchObject({ code: 'fetch-interrupted' });
    const controller = new AbortController();
    const late = fetcher.fetch(file, {
      signal: controller.signal,
      wait: async () => controller.abort('SIGINT'),
    });
    await expect(late).rejects.toMatchObject({ code: 'fetch-interrupted', cause: 'SIGINT' });
    expect(server.requests).toHaveLength(1);
    expect(await fetcher.names()).toEqual([]);
  });

  test('while reading a file that is already there says so', async () => {
    const fetcher = await makeFetcher();
    await writeFile(path.join(fetcher.folder, 'file.bin'), content);
    const file = remoteFile(content, ['http://data.invalid/']);
    await expect(fetcher.fetch(file, { signal: AbortSignal.abort('SIGINT') })).rejects.toMatchObject({
      code: 'fetch-interrupted',
      message: 'Interrupted while checking file.bin.',
    });
  });
});
