import fs from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { serve, startServer } from './bad-server.ts';
import { makeContent, makeFetcher, remoteFile } from './rig.ts';

const content = makeContent(300_000);

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('a proxy', () => {
  test('of the environment is used, except for hosts in no_proxy', async () => {
    const [proxy, direct] = [await startServer(serve(content)), await startServer(serve(content))];
    vi.stubEnv('http_proxy', proxy.origin.replace('http://', ''));
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
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    vi.stubEnv('https_proxy', `http://me:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const fetcher = await makeFetcher();
    const failure = await fetcher
      .fetch(remoteFile(content, ['https://data.invalid/a']), { retries: 0 })
      .catch((error: unknown) => error);
    const text = JSON.stringify([(failure as Error).message, failure]);
    expect(failure).toMatchObject({
      code: 'fetch-failed',
      fix: expect.stringContaining('https_proxy is set'),
    });
    expect(text).toContain('the proxy refused the connection');
    expect(text).not.toContain('secret');
  });
});

describe('a disk', () => {
  const withFree = (bytes: number) => {
    vi.spyOn(fs, 'statfs').mockResolvedValue({ bavail: bytes, bsize: 1 } as Awaited<
      ReturnType<typeof fs.statfs>
    >);
  };

  test('without room for the file is reported before the download', async () => {
    withFree(100_000);
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    await expect(fetcher.fetch(remoteFile(content, [server.url()]))).rejects.toMatchObject({
      code: 'disk-enospc',
      message: 'file.bin needs 300 kB more, but only 100 kB are free.',
    });
    expect(await fetcher.names()).toEqual([]);
  });

  test('is not filled by a file whose size nobody knows', async () => {
    withFree(500_100_000);
    const server = await startServer(serve(content, { length: null }));
    const fetcher = await makeFetcher();
    const fetching = fetcher.fetch(remoteFile(content, [server.url()], { sizeBytes: null }));
    await expect(fetching).rejects.toMatchObject({
      code: 'disk-enospc',
      message: expect.stringContaining('the server sent 100,000 bytes without saying how large the file is'),
    });
    expect(await fetcher.names()).toEqual([]);
  });

  test('that becomes full keeps what it has, and the next command continues there', async () => {
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    const { open } = fs;
    vi.spyOn(fs, 'open').mockImplementation(async (file, ...rest) => {
      const handle = await open(file, ...rest);
      if (!String(file).endsWith('.part')) return handle;
      const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<{ bytesWritten: number }>;
      // Writes half of what fits, then the rest of it, then nothing: as a real disk may.
      return Object.assign(handle, {
        write: async (chunk: Uint8Array, offset: number, length: number, position: number) => {
          if (position >= 100_000)
            throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
          return write(chunk, offset, Math.min(length, Math.ceil((100_000 - position) / 2)), position);
        },
      });
    });
    const file = remoteFile(content, [server.url()]);
    await expect(fetcher.fetch(file)).rejects.toMatchObject({
      code: 'disk-enospc',
      message: 'the disk is full (ENOSPC).',
      fix: expect.stringContaining('What has been downloaded is kept.'),
    });
    vi.restoreAllMocks();
    expect((await fetcher.part()).equals(content.subarray(0, 100_000))).toBe(true);
    expect(await fetcher.fetch(file)).toBe('resumed');
    expect(await fetcher.has(content)).toBe(true);
    expect(server.ranges).toEqual([undefined, 'bytes=100000-']);
  });
});
