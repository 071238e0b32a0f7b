import { expect, test } from 'vitest';
import { fetchFiles } from '../../../src/data/fetch/fetch-files.ts';
import type { PublishedFile } from '../../../src/results/dataset-facts.ts';
import { locateFar, makeZip } from '../../support/zip-fixture.ts';
import {
  type BadServer,
  content,
  type Fetcher,
  failure,
  homepage,
  makeFetcher,
  other,
  remoteFile,
  serve,
  startServer,
  status,
} from './rig.ts';

const training = makeZip([{ name: '0.bin', bytes: content }]);
const testing = makeZip([{ name: '0.bin', bytes: other }]);
const both = makeZip([
  { name: 'set-1/', bytes: new Uint8Array() },
  { name: 'set-1/Test.zip', bytes: testing },
  { name: 'set-1/Train.zip', bytes: training },
]);
const ZIP_PART = 'set-1.zip.repro-part';

/** Two files whose own addresses fail, in the zip of a server. */
async function fetchBoth(fetcher: Fetcher, server: BadServer) {
  const gone = await startServer(status(404));
  const zipUrl = server.url('/cache/set-1.zip?signed');
  const list = [
    remoteFile(training, [gone.url()], { name: 'Train.zip' }),
    remoteFile(testing, [gone.url()], { name: 'Test.zip' }),
  ];
  const files = list.map((file): PublishedFile => ({ ...file, zipUrl }));
  const note = (text: string) => void fetcher.notes.push(text);
  const wait = async () => {};
  const fetched = await fetchFiles({ files, homepage }, fetcher.folder, { retries: 0, note, wait });
  return fetched.map(({ outcome }) => outcome);
}

test('files without another address are taken out of one zip, downloaded once and deleted at the end', async () => {
  const [fetcher, server] = [await makeFetcher(), await startServer(serve(both))];
  expect(await fetchBoth(fetcher, server)).toEqual(['downloaded', 'downloaded']);
  expect(await fetcher.names()).toEqual(['Test.zip', 'Train.zip']);
  expect([await fetcher.has(training, 'Train.zip'), await fetcher.has(testing, 'Test.zip')]).toEqual([
    true,
    true,
  ]);
  expect(server.ranges).toEqual([undefined]);
  expect(fetcher.notes[0]).toMatch(/^Train\.zip: .* 404 Not Found\. Trying .*set-1\.zip\?signed\.$/);
});

test('such a zip is continued by the next command', async () => {
  const fetcher = await makeFetcher();
  const server = await startServer(serve(both, { cutAfter: 100_000 }), status(404), serve(both));
  await expect(fetchBoth(fetcher, server)).rejects.toMatchObject(failure('fetch-failed', '404 Not Found'));
  expect(await fetcher.names()).toEqual([ZIP_PART]);
  expect(await fetchBoth(fetcher, server)).toEqual(['downloaded', 'downloaded']);
  expect(server.ranges).toEqual([undefined, 'bytes=100000-', 'bytes=100000-']);
  expect(await fetcher.names()).toEqual(['Test.zip', 'Train.zip']);
});

test('such a zip is not downloaded again after a command that was stopped while unpacking it', async () => {
  const [fetcher, server] = [await makeFetcher(), await startServer(serve(both))];
  await fetcher.write(ZIP_PART, both);
  await fetcher.write('Train.zip.repro-part', training.subarray(0, 1000));
  expect(await fetchBoth(fetcher, server)).toEqual(['downloaded', 'downloaded']);
  expect(server.requests).toEqual([]);
  expect(await fetcher.names()).toEqual(['Test.zip', 'Train.zip']);
});

test.each([
  ['without the file', makeZip([{ name: 'Test.zip', bytes: testing }])],
  ['that is damaged', Buffer.from(both).fill(0, 400_000, 400_100)],
  ['whose directory is said to be beyond the largest number', locateFar(both)],
])('a zip %s is named and deleted, and nothing of it is left for the next command', async (_, bytes) => {
  const [fetcher, server] = [await makeFetcher(), await startServer(serve(bytes))];
  await expect(fetchBoth(fetcher, server)).rejects.toMatchObject(
    failure('fetch-failed', `${server.url('/cache/set-1.zip?signed')}: no Train.zip can be read in this zip`),
  );
  expect(await fetcher.names()).toEqual([]);
  const good = await startServer(serve(both));
  expect(await fetchBoth(fetcher, good)).toContain('downloaded');
  expect(good.ranges).toEqual([undefined]);
  expect(await fetcher.names()).toEqual(['Test.zip', 'Train.zip']);
});

test('a zip that an earlier command left and that is damaged is downloaded anew', async () => {
  const [fetcher, server] = [await makeFetcher(), await startServer(serve(both))];
  await fetcher.write(ZIP_PART, Buffer.from(both).fill(0, 400_000, 400_100));
  expect(await fetchBoth(fetcher, server)).toEqual(['downloaded', 'downloaded']);
  expect(server.ranges).toEqual([undefined]);
});

test('a zip that cannot be read and that the server continues is deleted', async () => {
  const [fetcher, server] = [await makeFetcher(), await startServer(serve(both))];
  await fetcher.write(ZIP_PART, locateFar(both.subarray(0, 500_000)));
  await expect(fetchBoth(fetcher, server)).rejects.toMatchObject(failure('fetch-failed', 'no Train.zip can'));
  expect(await fetchBoth(fetcher, server)).toEqual(['downloaded', 'downloaded']);
  expect(server.ranges).toEqual(['bytes=500020-', undefined]);
});

test.each([
  ['published', { sizeBytes: 1000 }, 'expected at most 1000'],
  ['most that is taken of a file of unknown', { sizeBytes: null }, 'expected at most 1000000'],
])('a file that is larger than the %s size is not unpacked', async (_, size, text) => {
  const bomb = makeZip([{ name: 'a.bin', bytes: Buffer.alloc(5_000_000) }]);
  const [fetcher, server, gone] = [
    await makeFetcher(),
    await startServer(serve(bomb)),
    await startServer(status(404)),
  ];
  const file = remoteFile(content, [gone.url()], { name: 'a.bin', ...size });
  const fetching = fetcher.fetch({ ...file, zipUrl: server.url('/set-1.zip') }, { mostBytes: 1e6 });
  await expect(fetching).rejects.toMatchObject(
    failure('fetch-failed', `no a.bin can be read in this zip: it would have 5000000 bytes, ${text}`),
  );
  expect(await fetcher.names()).toEqual([]);
});

test('a zip with a wrong file of that name is deleted and downloaded once more', async () => {
  const wrong = makeZip([{ name: 'Train.zip', bytes: testing }]);
  const [fetcher, server] = [await makeFetcher(), await startServer(serve(wrong), serve(both))];
  expect(await fetchBoth(fetcher, server)).toEqual(['downloaded', 'downloaded']);
  expect(server.ranges).toEqual([undefined, undefined]);
});
