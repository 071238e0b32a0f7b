import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ASL_DVS_LAYOUT } from '../../src/data/asl-dvs.ts';
import { CIFAR10_DVS_LAYOUT } from '../../src/data/cifar10-dvs.ts';
import { DATASETS } from '../../src/data/registry.ts';
import { DATA_SETS } from '../../src/results/thesis/data-sets.ts';

const root = path.resolve(import.meta.dirname, '../..');
const names = DATASETS.map(({ name }) => name);

test('there are the seven data sets of the original and the positive control, each once', () => {
  expect(names).toEqual([
    'dvs128-gesture',
    'nmnist',
    'cifar10-dvs',
    'asl-dvs',
    'mnist',
    'fashion-mnist',
    'cifar10',
    'two-scales',
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
    const simulated = dataset.simulated === true;
    expect(profile.dataset).toEqual({ name, simulated, root: dataset.usualRoot });
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
    if (dataset.simulated !== true) expect(steps).toContain(new URL(dataset.homepage).host);
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
      expect(name).toMatch(/^(?!.*\.repro-part$)[A-Za-z0-9_][A-Za-z0-9_ .()+,@=-]*$/i);
      expect(checksum.hex).toMatch(/^[0-9a-f]{32}$/);
      expect(sizeBytes ?? 1).toBeGreaterThan(0);
      for (const url of urls)
        expect(new URL(url)).toMatchObject({ protocol: expect.stringMatching(/^https?:$/), password: '' });
      // How such a file begins is known, so that a page in its place is recognised at once.
      if (urls.length > 0) expect(name).toMatch(/\.(?:zip|gz)$/);
    }
  });
});

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
    ['Two time scales', 4, [1, 5]],
  ]);
});

test('the published checksums, counts, splits and preparations are these', () => {
  // One checksum over all of them, so that no digit of a published one can change unnoticed. Sources: docs/data.md.
  const lines = DATASETS.flatMap(({ name, files }) =>
    files.map(({ name: file, checksum }) => `${name}/${file} ${checksum.hex}\n`),
  );
  expect(lines).toHaveLength(25);
  expect(createHash('md5').update(lines.join('')).digest('hex')).toBe('63c081c0a77434b17d81224739e4a625');
  expect(Object.fromEntries(DATASETS.map(({ name, published }) => [name, published]))).toEqual({
    'dvs128-gesture': { train: 98 * 12, test: 24 * 12 },
    nmnist: { train: 60_000, test: 10_000 },
    'cifar10-dvs': { train: 10 * 900, test: 10 * 100 },
    'asl-dvs': { train: 24 * 3_360, test: 24 * 840 },
    mnist: { train: 60_000, test: 10_000 },
    'fashion-mnist': { train: 60_000, test: 10_000 },
    cifar10: { train: 50_000, test: 10_000 },
    'two-scales': { train: 2_000, test: 1_000 },
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
