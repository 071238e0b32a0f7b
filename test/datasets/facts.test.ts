import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ASL_DVS_LAYOUT } from '../../src/datasets/asl-dvs.ts';
import { CIFAR10_DVS_LAYOUT } from '../../src/datasets/cifar10-dvs.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { DATA_SETS } from '../../src/thesis/data-sets.ts';

const root = path.resolve(import.meta.dirname, '../..');
const names = DATASETS.map(({ name }) => name);

test('there are the seven data sets of the original, each once', () => {
  expect(names).toEqual([
    'dvs128-gesture',
    'nmnist',
    'cifar10-dvs',
    'asl-dvs',
    'mnist',
    'fashion-mnist',
    'cifar10',
  ]);
  expect(Object.keys(DATA_SETS).sort()).toEqual([...names].sort());
  expect(Object.values(DATA_SETS).map(({ name }) => name)).toEqual(Object.keys(DATA_SETS));
});

test('the schema of profiles knows them', () => {
  const schema = JSON.parse(readFileSync(path.join(root, 'schemas/profile.schema.json'), 'utf8'));
  expect(schema.properties.dataset.properties.name.enum).toEqual(names);
  const stills = DATASETS.filter(({ kind }) => kind === 'images').map(({ name }) => name);
  expect(schema.allOf[1].if.properties.dataset.properties.name.enum).toEqual(stills);
});

describe.each(DATASETS.map((dataset) => [dataset.name, dataset] as const))('%s', (name, dataset) => {
  test('has a profile for it at its usual root', () => {
    const profile = parse(readFileSync(path.join(root, `configs/profiles/${dataset.profile}.yaml`), 'utf8'));
    expect(profile.dataset).toEqual({ name, simulated: false, root: dataset.usualRoot });
  });

  test('has a class for each label, and a mean and a deviation for each channel', () => {
    expect(new Set(dataset.classes).size).toBe(dataset.classes.length);
    if (dataset.kind === 'events') return;
    expect(dataset.preparation.mean).toHaveLength(dataset.image.channels);
    expect(dataset.preparation.std).toHaveLength(dataset.image.channels);
  });

  test('says where it comes from, and each step to get it', () => {
    for (const text of [dataset.summary, dataset.licence, dataset.citation, dataset.homepage]) {
      expect(text).not.toBe('');
    }
    const steps = dataset.howToGet('/somewhere else');
    expect(steps).toContain(`npm run reproduce -- --profile ${dataset.profile}`);
    expect(steps).toContain(`./repro run verify --profile ${dataset.profile}`);
    expect(steps).toContain("--set 'dataset.root=/somewhere else'");
    const byHand = dataset.files.every(({ urls }) => urls.length === 0);
    if (byHand) expect(steps).toContain(new URL(dataset.homepage).host);
    for (const { name: file, checksum, urls } of dataset.files.filter((one) => one.urls.length > 0)) {
      expect(steps).toContain(urls[0]);
      expect(steps).toContain(file);
      expect(steps).toContain(checksum.hex);
    }
  });

  test('lists files with plain names, and well-formed checksums and addresses', () => {
    const names = dataset.files.map(({ name }) => name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    for (const { name, checksum, urls, sizeBytes } of dataset.files) {
      // What every file system takes, and nothing that leaves the folder or looks like an incomplete download.
      expect(name).toMatch(/^(?!.*\.part(?:\.json)?$)[A-Za-z0-9_][A-Za-z0-9_ .()+,@=-]*$/i);
      expect(checksum.hex).toMatch(checksum.kind === 'md5' ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{64}$/);
      expect(sizeBytes ?? 1).toBeGreaterThan(0);
      for (const url of urls)
        expect(new URL(url)).toMatchObject({ protocol: expect.stringMatching(/^https?:$/), password: '' });
    }
  });
});

/** What is published, written down a second time: a slip in one place then shows. Sources: docs/data.md. */
const PUBLISHED: Readonly<Record<string, readonly (readonly [file: string, md5: string])[]>> = {
  'dvs128-gesture': [
    ['DvsGesture.tar.gz', '8a5c71fb11e24e5ca5b11866ca6c00a1'],
    ['gesture_mapping.csv', '109b2ae64a0e1f3ef535b18ad7367fd1'],
    ['LICENSE.txt', '065e10099753156f18f51941e6e44b66'],
    ['README.txt', 'a0663d3b1d8307c329a43d949ee32d19'],
  ],
  nmnist: [
    ['Train.zip', '20959b8e626244a1b502305a9e6e2031'],
    ['Test.zip', '69ca8762b2fe404d9b9bad1103e97832'],
  ],
  'cifar10-dvs': [
    ['airplane.zip', '0afd5c4bf9ae06af762a77b180354fdd'],
    ['automobile.zip', '8438dfeba3bc970c94962d995b1b9bdd'],
    ['bird.zip', 'a9c207c91c55b9dc2002dc21c684d785'],
    ['cat.zip', '52c63c677c2b15fa5146a8daf4d56687'],
    ['deer.zip', 'b6bf21f6c04d21ba4e23fc3e36c8a4a3'],
    ['dog.zip', 'f379ebdf6703d16e0a690782e62639c3'],
    ['frog.zip', 'cad6ed91214b1c7388a5f6ee56d08803'],
    ['horse.zip', 'e7cbbf77bec584ffbf913f00e682782a'],
    ['ship.zip', '41c7bd7d6b251be82557c6cce9a7d5c9'],
    ['truck.zip', '89f3922fd147d9aeff89e76a2b0b70a7'],
  ],
  'asl-dvs': [],
  mnist: [
    ['train-images-idx3-ubyte.gz', 'f68b3c2dcbeaaa9fbdd348bbdeb94873'],
    ['train-labels-idx1-ubyte.gz', 'd53e105ee54ea40749a09fcbcd1e9432'],
    ['t10k-images-idx3-ubyte.gz', '9fb629c4189551a2d022fa330f9573f3'],
    ['t10k-labels-idx1-ubyte.gz', 'ec29112dd5afa0611ce80d1b7f02629c'],
  ],
  'fashion-mnist': [
    ['train-images-idx3-ubyte.gz', '8d4fb7e6c68d591d4c3dfef9ec88bf0d'],
    ['train-labels-idx1-ubyte.gz', '25c81989df183df01b3e8a0aad5dffbe'],
    ['t10k-images-idx3-ubyte.gz', 'bef4ecab320f06d8554ea6380940ec79'],
    ['t10k-labels-idx1-ubyte.gz', 'bb300cfdad3c16e7a12a480ee83cd310'],
  ],
  cifar10: [['cifar-10-binary.tar.gz', 'c32a1d4ab5d03f1284b67883e8d87530']],
};

test('the published classes and sizes are these', () => {
  expect(
    DATASETS.map((dataset) => [
      dataset.title,
      dataset.classes.length,
      dataset.kind === 'events' ? Object.values(dataset.sensor) : Object.values(dataset.image),
    ]),
  ).toEqual([
    ['DVS128 Gesture', 11, [128, 128]],
    ['N-MNIST', 10, [34, 34]],
    ['CIFAR10-DVS', 10, [128, 128]],
    ['ASL-DVS', 24, [180, 240]],
    ['MNIST', 10, [1, 28, 28]],
    ['FashionMNIST', 10, [1, 28, 28]],
    ['CIFAR10', 10, [3, 32, 32]],
  ]);
});

test('the published checksums, counts, splits and preparations are these', () => {
  expect(
    Object.fromEntries(
      DATASETS.map(({ name, files }) => [name, files.map((file) => [file.name, file.checksum.hex])]),
    ),
  ).toEqual(PUBLISHED);
  expect(Object.fromEntries(DATASETS.map(({ name, published }) => [name, published]))).toEqual({
    'dvs128-gesture': { train: 98 * 12, test: 24 * 12 },
    nmnist: { train: 60_000, test: 10_000 },
    'cifar10-dvs': { train: 10 * 900, test: 10 * 100 },
    'asl-dvs': { train: 24 * 3_360, test: 24 * 840 },
    mnist: { train: 60_000, test: 10_000 },
    'fashion-mnist': { train: 60_000, test: 10_000 },
    cifar10: { train: 50_000, test: 10_000 },
  });
  expect([CIFAR10_DVS_LAYOUT.trainShare, ASL_DVS_LAYOUT.trainShare]).toEqual([0.9, 0.8]);
  const stills = DATASETS.filter((dataset) => dataset.kind === 'images');
  expect(Object.fromEntries(stills.map(({ name, preparation }) => [name, preparation]))).toEqual({
    mnist: { mean: [0.1307], std: [0.3081], augmentation: 'random-affine' },
    'fashion-mnist': { mean: [0.286], std: [0.353], augmentation: 'none' },
    cifar10: {
      mean: [0.4914, 0.4822, 0.4465],
      std: [0.2023, 0.1994, 0.201],
      augmentation: 'random-crop-flip',
    },
  });
});
