import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FetchOptions, fetchFiles } from '../../../src/datasets/fetch/fetch-files.ts';
import type { FetchProgress } from '../../../src/datasets/fetch/speed-meter.ts';
import { identifyThisProcess } from '../../../src/files/process-identity.ts';
import { serve, startServer, status } from './bad-server.ts';
import { makeContent, makeFetcher, remoteFile } from './rig.ts';

const content = makeContent(300_000);

describe('a download', () => {
  test.each(['md5', 'sha256'] as const)(
    'is complete, has the right %s, and leaves nothing else behind',
    async (kind) => {
      const server = await startServer(serve(content));
      const fetcher = await makeFetcher();
      expect(await fetcher.fetch(remoteFile(content, [server.url()], { kind }))).toBe('downloaded');
      expect(await fetcher.has(content)).toBe(true);
      expect(await fetcher.names()).toEqual(['file.bin']);
      expect(server.requests[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
      expect(fetcher.notes).toEqual([]);
    },
  );

  test('makes the folder, and brings several files in the order of the list', async () => {
    const server = await startServer((request, ...rest) =>
      serve(request.url === '/a' ? content : content.subarray(1))(request, ...rest),
    );
    const fetcher = await makeFetcher();
    const folder = path.join(fetcher.folder, 'data', 'set');
    const files = [
      remoteFile(content, [server.url('/a')], { name: 'a' }),
      remoteFile(content.subarray(1), [server.url('/b')], { name: 'b' }),
    ];
    expect(await fetchFiles(files, folder)).toEqual(['downloaded', 'downloaded']);
    expect(await fetchFiles(files, folder)).toEqual(['already there', 'already there']);
    expect(server.requests.map(({ url }) => url)).toEqual(['/a', '/b']);
  });

  test('without a known size works, and so does one of an empty file', async () => {
    const server = await startServer(
      serve(content),
      serve(content, { length: null }),
      serve(Buffer.alloc(0)),
    );
    const fetcher = await makeFetcher();
    for (const [name, bytes] of [
      ['a', content],
      ['b', content],
      ['c', Buffer.alloc(0)],
    ] as const) {
      expect(await fetcher.fetch(remoteFile(bytes, [server.url()], { name, sizeBytes: null }))).toBe(
        'downloaded',
      );
      expect(await fetcher.has(bytes, name)).toBe(true);
    }
  });

  test('reports how far it is', async () => {
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    const reports: FetchProgress[] = [];
    const options: FetchOptions = { progress: (progress) => reports.push(progress) };
    await fetcher.fetch(remoteFile(content, [server.url()]), options);
    expect(reports[0]).toEqual({ file: 'file.bin', doneBytes: 0, totalBytes: 300_000, bytesPerSecond: 0 });
    expect(reports.at(-1)).toMatchObject({ doneBytes: 300_000, totalBytes: 300_000 });
  });

  test('reports the end of a file whose size nobody tells', async () => {
    const server = await startServer((_, response) => {
      response.writeHead(200);
      response.write(content.subarray(0, 200_000));
      response.end(content.subarray(200_000));
    });
    const fetcher = await makeFetcher();
    const reports: FetchProgress[] = [];
    const options: FetchOptions = { progress: (progress) => reports.push(progress) };
    await fetcher.fetch(remoteFile(content, [server.url()], { sizeBytes: null }), options);
    expect(reports[0]).toMatchObject({ doneBytes: 0, totalBytes: null });
    expect(reports.at(-1)).toMatchObject({ doneBytes: 300_000, totalBytes: 300_000 });
  });
});

describe('a file that is already there', () => {
  test('is read and not fetched again; no lock is taken', async () => {
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    await writeFile(path.join(fetcher.folder, 'elsewhere'), content);
    await symlink('elsewhere', path.join(fetcher.folder, 'file.bin'));
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('already there');
    expect(server.requests).toEqual([]);
  });

  test('and wrong is reported with what to do, is left alone, and stops the command before any download', async () => {
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    const wrong = Buffer.from(content).fill(0, 7, 8);
    await writeFile(path.join(fetcher.folder, 'b.bin'), wrong);
    await writeFile(path.join(fetcher.folder, 'c.bin'), content.subarray(1));
    await mkdir(path.join(fetcher.folder, 'd.bin'));
    const files = ['a', 'b', 'c', 'd'].map((name) =>
      remoteFile(content, [server.url()], { name: `${name}.bin` }),
    );
    const failure = await fetchFiles(files, fetcher.folder).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'fetch-wrong-file' });
    const { message, fix } = failure as { message: string; fix: string };
    expect(message).toMatch(/b\.bin: md5 [0-9a-f]{32} is not [0-9a-f]{32}; 300,000 bytes/);
    expect(message).toContain('c.bin: 299,999 bytes, expected 300,000 bytes');
    expect(message).toContain('d.bin: expected a file, found something else');
    // In words: no command does it on every system.
    expect(fix).toMatch(/^Delete them .* otherwise rename or move them; then run the same command again\.$/);
    expect(await fetcher.names()).toEqual(['b.bin', 'c.bin', 'd.bin']);
    expect(await fetcher.has(wrong, 'b.bin')).toBe(true);
    expect(server.requests).toEqual([]);
  });

  test('since another program put it there during the download, is not replaced', async () => {
    const fetcher = await makeFetcher();
    const server = await startServer((...exchange) => {
      void writeFile(path.join(fetcher.folder, 'file.bin'), 'mine').then(() => serve(content)(...exchange));
    });
    const fetching = fetcher.fetch(remoteFile(content, [server.url()]));
    await expect(fetching).rejects.toMatchObject({ code: 'fetch-wrong-file' });
    expect(await fetcher.has(Buffer.from('mine'))).toBe(true);
    expect((await fetcher.part()).equals(content)).toBe(true);
  });
});

describe('two downloads into one folder', () => {
  test('exclude each other: the second says who holds the folder', async () => {
    const fetcher = await makeFetcher();
    const file = (url: string) => remoteFile(content, [url]);
    let second: unknown;
    const server = await startServer((...exchange) => {
      void fetchFiles([file(server.url())], fetcher.folder)
        .catch((error: unknown) => {
          second = error;
        })
        .then(() => serve(content)(...exchange));
    });
    expect(await fetcher.fetch(file(server.url()))).toBe('downloaded');
    expect(second).toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${process.pid} `),
    });
  });

  test('are not kept apart by the lock of a process that is dead', async () => {
    const server = await startServer(serve(content));
    const fetcher = await makeFetcher();
    await mkdir(path.join(fetcher.folder, '.fetch-lock'));
    // The process exists, but started at another time: its number was given to a new one.
    const holder = {
      version: 1,
      ...identifyThisProcess(),
      startTime: '1',
      command: [],
      started: '',
      released: false,
    };
    await writeFile(path.join(fetcher.folder, '.fetch-lock', '7.json'), JSON.stringify(holder));
    expect(await fetcher.fetch(remoteFile(content, [server.url()]))).toBe('downloaded');
    expect(await fetcher.names()).toEqual(['file.bin']);
  });
});

test('a folder that is a file is an error that names it', async () => {
  const server = await startServer(status(404));
  const fetcher = await makeFetcher();
  await writeFile(path.join(fetcher.folder, 'x'), '');
  const fetching = fetchFiles([remoteFile(content, [server.url()])], path.join(fetcher.folder, 'x'));
  await expect(fetching).rejects.toMatchObject({ code: 'output-nowhere' });
});
