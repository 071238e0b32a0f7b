import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import { decodeNmnist } from '../../src/data/events/nmnist-events.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { NMNIST, withChecksum } from '../support/datasets.ts';
import { md5 } from '../support/gesture-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { makeZip } from '../support/zip-fixture.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
});

/** Two events at pixel (1, 2), 100 µs apart. */
const SAMPLE = Uint8Array.of(1, 2, 0x80, 0, 100, 1, 2, 0, 0, 200);
const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const names = (split: string) => DIGITS.map((digit) => `${split}/${digit}/0000${digit}.bin`);
const real = { simulated: false };

async function writeSamples(paths: readonly string[], bytes = SAMPLE): Promise<void> {
  for (const name of paths) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), bytes);
  }
}

const nmnist = openDataset(NMNIST);

/** The data set as if this zip were the one of each part. */
const publishedAs = (zip: Uint8Array) => openDataset(withChecksum(NMNIST, md5(zip)));

describe('verifying N-MNIST', () => {
  test('accepts folders with missing samples, with a warning', async () => {
    await writeSamples([...names('Train'), 'Train/0/00010.bin', ...names('Test')]);
    const manifest = await nmnist.verify(root, real);
    expect(manifest).toMatchObject({
      dataset: 'nmnist',
      archive: false,
      splits: { train: { recordings: 11, clips: 11 }, test: { recordings: 10, clips: 10 } },
      perUser: {},
      warnings: [
        "11 training samples instead of N-MNIST's 60,000.",
        "10 test samples instead of N-MNIST's 10,000.",
      ],
    });
    expect(manifest.perClass['0']).toBe(3);
    expect(manifest.files[0]).toEqual({
      path: 'Test/0/00000.bin',
      sizeBytes: 10,
      md5: expect.stringMatching(/^[0-9a-f]{32}$/),
      status: 'ok',
    });
  });

  test('reads the published zips in place, and refuses others', async () => {
    await writeSamples(names('Train'));
    const zip = makeZip(names('Test').map((name) => ({ name, bytes: SAMPLE })));
    await writeFile(path.join(root, 'Test.zip'), zip);
    const manifest = await publishedAs(zip).verify(root, real);
    expect(manifest.splits.test.clips).toBe(10);
    expect(manifest.files[0]).toMatchObject({ path: 'Test.zip', status: 'archive' });
    expect(manifest.files.filter(({ status }) => status === 'archive')).toHaveLength(1);
    await expect(nmnist.verify(root, real)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(
        /archives are not the published ones \(1\):\n.*Test\.zip \(.*\): md5 \w{32} is not 69ca8762/,
      ),
      fix: expect.stringContaining('If a zip has only some of the samples, unpack it.'),
    });
  });

  test('reports every sample that cannot be read', async () => {
    await writeSamples([...names('Train'), ...names('Test')]);
    await writeSamples(['Train/3/00003.bin'], SAMPLE.subarray(0, 8));
    await writeSamples(['Test/4/00004.bin'], Uint8Array.of(34, 0, 0, 0, 0));
    await expect(nmnist.verify(root, real)).rejects.toMatchObject({
      code: 'data-corrupt',
      message: expect.stringMatching(
        /samples cannot be read \(2\):\n.*Train\/3\/00003\.bin: byte 5 .*\n.*Test\/4\/00004\.bin: byte 0 /,
      ),
    });
  });

  test('rejects a split without samples, and simulated ones', async () => {
    await writeSamples([...names('Train'), 'Test/notes.txt']);
    await expect(nmnist.verify(root, real)).rejects.toMatchObject({ code: 'data-corrupt' });
    await expect(nmnist.verify(root, { simulated: true })).rejects.toMatchObject({ code: 'data-kind' });
  });

  test('warns about a digit without samples and leaves other files out', async () => {
    await writeSamples([...names('Train'), ...names('Test').slice(0, 9), 'Test/1/notes.txt']);
    const { warnings, files } = await nmnist.verify(root, real);
    expect(warnings).toContain('no test sample of 9.');
    expect(warnings.at(-1)).toMatch(/^1 file is not a sample \(.*\) and not used: Test\/1\/notes\.txt\.$/);
    expect(files.find((file) => file.path === 'Test/1/notes.txt')?.status).toBe('unlisted');
  });
});

test('unused files cause one warning, before blank samples, and may have any size', async () => {
  const others = ['Train/3/my sample.bin', 'Train/12/00001.bin', 'Train/Thumbs.db'];
  await writeSamples([...names('Train'), ...names('Test'), ...others]);
  await writeSamples(['Test/a/b.bin', 'Test/c.bin', 'Test/d.bin'], new Uint8Array(17 << 20));
  await writeSamples(['Train/0/00000.bin'], new Uint8Array(0));
  const { warnings, perClass } = await nmnist.verify(root, real);
  expect(warnings.slice(2)).toEqual([
    '6 files are not samples (Train/<class>/<number>.bin, Test/<class>/<number>.bin) and not used: ' +
      'Train/12/00001.bin, Train/3/my sample.bin, Train/Thumbs.db, Test/a/b.bin, Test/c.bin and 1 more.',
    'Train/0/00000.bin  contains no events: its clip is blank.',
  ]);
  expect(perClass['3']).toBe(2);
});

const N_MNIST = { title: 'N-MNIST', sensor: { height: 34, width: 34 } };

test('five big-endian bytes are one event: x, y, polarity, 23 bits of time', () => {
  const { events, warnings } = decodeNmnist(
    Uint8Array.of(10, 33, 0x80, 0x03, 0xe8, 0, 5, 0x7f, 0xff, 0xff),
    'Train/0/1.bin',
    N_MNIST,
  );
  expect(events).toEqual({
    tUs: Float64Array.of(1000, 2 ** 23 - 1),
    x: Uint16Array.of(10, 0),
    y: Uint16Array.of(33, 5),
    p: Uint8Array.of(1, 0),
  });
  expect(warnings).toEqual([]);
});

test.each([
  ['x', [0, 0, 0, 0, 0, 34, 0, 0, 0, 0]],
  ['y', [0, 0, 0, 0, 0, 0, 34, 0, 0, 0]],
])('an event with %s outside the sensor is rejected with the byte', (_, bytes) => {
  expect(() => decodeNmnist(Uint8Array.from(bytes), 'a.bin', N_MNIST)).toThrow(
    expect.objectContaining({ code: 'nmnist-event', where: 'a.bin: byte 5' }),
  );
});

test('time going backwards and an empty sample are accepted with a warning', () => {
  const { warnings } = decodeNmnist(Uint8Array.of(0, 0, 0, 0, 9, 0, 0, 0, 0, 8), 'a.bin', N_MNIST);
  expect(warnings).toEqual(['a.bin: byte 5  goes back in time.']);
  expect(decodeNmnist(new Uint8Array(0), 'b.bin', N_MNIST).warnings).toEqual([
    'b.bin  contains no events: its clip is blank.',
  ]);
});

test('a file with any bytes is read, each event in its place, or rejected with a reason', () => {
  const anyEvent = fc.tuple(fc.nat(36), fc.nat(36), fc.nat(1), fc.nat(2 ** 23 - 1));
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), fc.uint8Array({ maxLength: 4 }), (rows, rest) => {
      const bytes = Uint8Array.from([
        ...rows.flatMap(([x, y, p, t]) => [x, y, (p << 7) | (t >> 16), (t >> 8) & 0xff, t & 0xff]),
        ...rest,
      ]);
      const read = () => decodeNmnist(bytes, 'a.bin', N_MNIST);
      if (rest.length > 0) {
        const where = `a.bin: byte ${5 * rows.length}`;
        expect(read).toThrow(expect.objectContaining({ code: 'nmnist-size', where }));
        return;
      }
      if (rows.some(([x, y]) => x > 33 || y > 33)) return void expect(read).toThrow(ReproError);
      const { events } = read();
      expect(rows.map((_, i) => [events.x[i], events.y[i], events.p[i], events.tUs[i]])).toEqual(rows);
      expect(events.tUs).toHaveLength(rows.length);
    }),
    { seed: 2020, numRuns: 500 },
  );
});
