import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { create } from 'tar';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeExamples } from '../../src/data/frames/examples.ts';
import { writeImages } from '../../src/data/frames/image-writer.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { decodeNpy } from '../../src/formats/npy.ts';
import { readClipExamples } from '../../src/results/clip-examples.ts';
import { parseClipIndex } from '../../src/results/clip-index.ts';
import { CIFAR10, MNIST, withChecksum } from '../support/datasets.ts';
import { md5 } from '../support/gesture-fixture.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let root: string;
let output: string;
beforeEach(async () => {
  root = await temporaryFolder();
  output = path.join(root, 'frames');
});

const real = { simulated: false };

/** An IDX file of bytes. */
function idx(shape: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x800 + shape.length);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, data]);
}

/** Image i has the label i % 10, and i in every pixel. */
function idxPair(count: number): { readonly images: Buffer; readonly labels: Buffer } {
  const pixels = new Uint8Array(count * 784).map((_, at) => Math.floor(at / 784));
  const labels = Uint8Array.from({ length: count }, (_, image) => image % 10);
  return { images: idx([count, 28, 28], pixels), labels: idx([count], labels) };
}

const train = idxPair(30);
const test10 = idxPair(20);

const gzipped = (bytes: Buffer) => ({
  sizeBytes: gzipSync(bytes).length,
  md5: md5(gzipSync(bytes)),
  contentsMd5: md5(bytes),
});

/** MNIST as if 30 and 20 images were published. */
const SMALL = openDataset({
  ...MNIST,
  files: [
    { name: 'train-images-idx3-ubyte.gz', ...gzipped(train.images) },
    { name: 'train-labels-idx1-ubyte.gz', ...gzipped(train.labels) },
    { name: 't10k-images-idx3-ubyte.gz', ...gzipped(test10.images) },
    { name: 't10k-labels-idx1-ubyte.gz', ...gzipped(test10.labels) },
  ],
});
const mnist = openDataset(MNIST);
const cifar10 = openDataset(CIFAR10);

async function writeMnist(folder = root, pack = (bytes: Buffer) => gzipSync(bytes), ending = '.gz') {
  await mkdir(folder, { recursive: true });
  for (const [prefix, { images, labels }] of [
    ['train', train],
    ['t10k', test10],
  ] as const) {
    await writeFile(path.join(folder, `${prefix}-images-idx3-ubyte${ending}`), pack(images));
    await writeFile(path.join(folder, `${prefix}-labels-idx1-ubyte${ending}`), pack(labels));
  }
}

describe('verifying MNIST', () => {
  test.each([
    ['gzipped as published', '', (bytes: Buffer) => gzipSync(bytes), '.gz'],
    ['gzipped by somebody else', '', (bytes: Buffer) => gzipSync(bytes, { level: 1 }), '.gz'],
    ['unpacked', '', (bytes: Buffer) => bytes, ''],
    ['where torchvision puts them', 'raw', (bytes: Buffer) => bytes, ''],
  ])('accepts the published contents, %s', async (_, below, pack, ending) => {
    await writeMnist(path.join(root, below), pack, ending);
    const manifest = await SMALL.verify(root, real);
    expect(manifest).toMatchObject({
      dataset: 'mnist',
      archive: false,
      splits: { train: { recordings: 30, clips: 30 }, test: { recordings: 20, clips: 20 } },
    });
    expect(manifest.perClass['9']).toBe(5);
    expect(manifest.files).toHaveLength(4);
    expect(manifest.warnings).toEqual([
      "30 training images instead of MNIST's 60,000.",
      "20 test images instead of MNIST's 10,000.",
    ]);
  });

  test('refuses well-formed files with other contents', async () => {
    await writeMnist();
    await expect(mnist.verify(root, real)).rejects.toMatchObject({
      code: 'data-corrupt',
      where: 'train-images-idx3-ubyte.gz',
      message: expect.stringMatching(/is not f68b3c2dcbeaaa9fbdd348bbdeb94873, and the contents are not/),
    });
    const name = path.join(root, 't10k-labels-idx1-ubyte.gz');
    await writeFile(name, gzipSync(idx([20], new Uint8Array(20))));
    await expect(SMALL.verify(root, real)).rejects.toMatchObject({
      code: 'data-corrupt',
      where: 't10k-labels-idx1-ubyte.gz',
    });
  });

  test('refuses images of another size, and labels without a class, than its file says', async () => {
    await writeMnist();
    const wide = openDataset({ ...SMALL.facts, image: { channels: 1, height: 28, width: 14 } });
    await expect(wide.verify(root, real)).rejects.toMatchObject({
      where: 'train-images-idx3-ubyte.gz',
      message: 'its shape is [30, 28, 28], expected [N, 28, 14].',
    });
    const few = openDataset({ ...SMALL.facts, classes: ['0', '1', '2'] });
    await expect(few.verify(root, real)).rejects.toMatchObject({
      where: 'train-labels-idx1-ubyte.gz',
      message: 'it has the label 3, but MNIST has 3 classes.',
    });
  });

  test('rejects a file that was cut off, and simulated images', async () => {
    await writeMnist();
    const name = path.join(root, 'train-images-idx3-ubyte.gz');
    await writeFile(name, (await readFile(name)).subarray(0, 100));
    await expect(mnist.verify(root, real)).rejects.toMatchObject({
      where: expect.stringContaining('train-images-idx3-ubyte.gz'),
    });
    await expect(mnist.verify(root, { simulated: true })).rejects.toMatchObject({ code: 'data-kind' });
  });
});

/** 4 images per batch, with labels 0 to 3 and the batch's number in every pixel. */
function batch(number: number): Buffer {
  const records = [0, 1, 2, 3].map((label) => Buffer.from([label, ...new Uint8Array(3072).fill(number)]));
  return Buffer.concat(records);
}

async function writeCifar10(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let i = 1; i <= 5; i++) await writeFile(path.join(folder, `data_batch_${i}.bin`), batch(i));
  await writeFile(path.join(folder, 'test_batch.bin'), batch(6));
  await writeFile(path.join(folder, 'readme.html'), 'not used');
}

describe('verifying CIFAR10', () => {
  test('reads the unpacked batches in their order, from their folder or the one above', async () => {
    const folder = path.join(root, 'cifar-10-batches-bin');
    await writeCifar10(folder);
    for (const place of [root, folder]) {
      const manifest = await cifar10.verify(place, real);
      expect(manifest).toMatchObject({
        archive: false,
        splits: { train: { clips: 20 }, test: { clips: 4 } },
      });
      expect(manifest.warnings).toContain('no test image of deer, dog, frog, horse, ship, truck.');
      expect(manifest.warnings.at(-1)).toContain('the publisher gives no checksums');
    }
    const { train } = await cifar10.readImages(root, real);
    expect([0, 4, 8, 12, 16].map((image) => train.pixels[image * 3072])).toEqual([1, 2, 3, 4, 5]);
  });

  test('reads the published archive in place, and refuses others', async () => {
    await writeCifar10(path.join(root, 'cifar-10-batches-bin'));
    const file = path.join(root, 'cifar-10-binary.tar.gz');
    await create({ gzip: true, file, cwd: root }, ['cifar-10-batches-bin']);
    await rm(path.join(root, 'cifar-10-batches-bin'), { recursive: true });
    for (const place of [root, file]) {
      await expect(cifar10.verify(place, real)).rejects.toMatchObject({
        code: 'data-corrupt',
        where: expect.stringContaining('cifar-10-binary.tar.gz'),
        message: expect.stringMatching(/^md5 .* is not c32a1d4ab5d03f1284b67883e8d87530/),
        fix: expect.stringContaining('repro data fetch cifar10'),
      });
    }
    const manifest = await openDataset(withChecksum(CIFAR10, md5(await readFile(file)))).verify(root, real);
    expect(manifest).toMatchObject({ archive: true, splits: { train: { clips: 20 } } });
    expect(manifest.files[0]).toMatchObject({ path: 'cifar-10-batches-bin/data_batch_1.bin', status: 'ok' });
    expect((await cifar10.readImages(root, real)).test.labels).toEqual(Buffer.from([0, 1, 2, 3]));
  });
});

describe('the frame cache of still images', () => {
  test('has the first images of each class as they are, and says how to show them', async () => {
    await writeMnist();
    await writeImages({ dataset: SMALL, root, output, limit: { train: 2, test: 1 } });
    const index = parseClipIndex(await readFile(path.join(output, 'clips.json'), 'utf8'), 'clips.json');
    expect(index).toMatchObject({
      dataset: 'mnist',
      frames: { steps: 1, splitBy: null, height: 28, width: 28, dtype: 'uint8', normalization: null },
      images: { mean: [0.1307], std: [0.3081], augmentation: 'random-affine' },
    });
    expect(index.splits.train.map(({ recording }) => recording)).toEqual(
      Array.from({ length: 20 }, (_, i) => `train/${i}`),
    );
    expect(index.splits.test[3]).toEqual({
      recording: 'test/3',
      user: null,
      light: null,
      trial: null,
      class: 3,
      startUs: null,
      endUs: null,
      events: null,
    });
    const { shape, data } = decodeNpy(await readFile(path.join(output, 'test.npy')), 'test.npy');
    expect(shape).toEqual([10, 1, 1, 28, 28]);
    expect([data[0], data[783], data[784], data[7839]]).toEqual([0, 0, 1, 9]);
  });

  test('has the same pixels if their rows are steps, and says so', async () => {
    await writeMnist();
    await writeImages({ dataset: SMALL, root, output });
    const still = await readFile(path.join(output, 'test.npy'));
    await writeImages({ dataset: SMALL, root, output, steps: 14 });
    const index = parseClipIndex(await readFile(path.join(output, 'clips.json'), 'utf8'), 'clips.json');
    expect(index.frames).toMatchObject({ steps: 14, splitBy: 'rows', height: 2, width: 28 });
    expect(await readFile(path.join(output, 'test.npy'))).toEqual(still);
  });

  test('has an example of each class', async () => {
    await writeMnist();
    await writeImages({ dataset: SMALL, root, output });
    await writeExamples(output);
    const { kind, examples } = await readClipExamples(path.join(output, 'examples'));
    expect(kind).toBe('images');
    expect(examples.map((one) => one.frames.data[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
