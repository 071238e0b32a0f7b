import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { DATASETS } from '../../src/datasets/registry.ts';
import { findOriginalDataset, originalDatasets } from '../../src/original/data-sets.ts';
import { titleDataset } from '../../src/report/thesis.ts';

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
  expect(
    Object.values(originalDatasets)
      .map(({ reader }) => reader.name)
      .sort(),
  ).toEqual([...names].sort());
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

  test('has the classes and the size that the original’s arguments imply', () => {
    const original = findOriginalDataset(name);
    expect(original?.classes).toBe(dataset.classes.length);
    expect(new Set(dataset.classes).size).toBe(dataset.classes.length);
    expect(original?.reader.profile).toBe(dataset.profile);
    if (dataset.kind === 'events') {
      expect(original).toMatchObject({ sensor: [dataset.sensor.height, dataset.sensor.width] });
    } else {
      const { channels, height, width } = dataset.image;
      expect(original).toMatchObject({ image: [channels, height, width] });
      expect(dataset.preparation.mean).toHaveLength(channels);
      expect(dataset.preparation.std).toHaveLength(channels);
    }
    expect(titleDataset(name)).toBe(dataset.title);
  });

  test('says where it comes from, and each step to get it', () => {
    for (const text of [dataset.summary, dataset.licence, dataset.citation, dataset.homepage]) {
      expect(text).not.toBe('');
    }
    const steps = dataset.howToGet('/somewhere else');
    expect(steps).toContain(`npm run reproduce -- --profile ${dataset.profile}`);
    expect(steps).toContain("--set 'dataset.root=/somewhere else'");
    expect(steps).toContain(new URL(dataset.homepage).host);
    for (const { name: file, checksum } of dataset.files.filter(({ urls }) => urls.length > 0)) {
      expect(steps).toContain(file);
      expect(steps).toContain(checksum.hex);
    }
  });

  test('lists files with well-formed checksums and addresses', () => {
    for (const { checksum, urls, sizeBytes } of dataset.files) {
      expect(checksum.hex).toMatch(checksum.kind === 'md5' ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{64}$/);
      expect(sizeBytes ?? 1).toBeGreaterThan(0);
      for (const url of urls) expect(new URL(url).protocol).toMatch(/^https?:$/);
    }
  });
});
