import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../scripts/results/questions.ts';
import { howToGet } from '../../src/data/contract/how-to-get.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { AUDIO_DEFAULTS } from '../../src/results/audio-settings.ts';
import { isCommitted } from '../../src/results/dataset-facts.ts';
import { ALL_FACTS, SPOKEN, WITH_PROFILE } from '../support/datasets.ts';

const root = path.resolve(import.meta.dirname, '../..');

describe.each(ALL_FACTS.map((facts) => [facts.name, facts] as const))('%s', (name, facts) => {
  test('is as its schema says, and can be opened', () => {
    const schema = JSON.parse(readFileSync(path.join(root, 'schemas/dataset.schema.json'), 'utf8'));
    const isValid = new Ajv({ allErrors: true, strictTypes: false }).compile(schema);
    isValid(parse(readFileSync(path.join(root, `configs/datasets/${name}.yaml`), 'utf8')));
    expect(isValid.errors ?? []).toEqual([]);
    expect(openDataset(facts).kind).toBe(facts.kind);
  });

  test('has a profile for it at its usual root, unless it is of spoken words', () => {
    if (facts.profile === undefined) return expect([...SPOKEN, 'ssc']).toContain(name);
    const profile = readConfig(root, `profiles/${facts.profile}`);
    expect(profile.dataset).toMatchObject({ name, simulated: facts.simulated === true, root: facts.root });
  });

  test('has a mean and a deviation for each channel, and clips of each class', () => {
    if (facts.kind === 'images') {
      expect(facts.preparation.mean).toHaveLength(facts.image.channels);
      expect(facts.preparation.std).toHaveLength(facts.image.channels);
    } else if (facts.layout === 'dvs128-gesture')
      expect(facts.clipsByClass).toHaveLength(facts.classes.length);
  });

  test('says each step to get it', () => {
    const steps = howToGet(facts, '/somewhere else');
    expect(steps).toContain(`./repro data verify ${name}`);
    // What is in the repository is nowhere else.
    expect(steps.includes("--root '/somewhere else'")).toBe(!isCommitted(facts));
    if (facts.simulated !== true && !isCommitted(facts))
      expect(steps).toContain(new URL(facts.homepage!).host);
    for (const { name: file, md5, urls = [] } of facts.files) {
      if (urls.length === 0) continue;
      expect(steps).toContain(urls[0]);
      expect(steps).toContain(`${file} (`);
      expect(steps).toContain(md5);
    }
  });

  test('lists each file once, at addresses without a password, in a format whose beginning is known', () => {
    const names = facts.files.map((file) => file.name.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    for (const { name: file, urls = [] } of facts.files) {
      for (const url of urls) expect(new URL(url).password).toBe('');
      // So that a page in its place is recognised at once.
      if (urls.length > 0) expect(file).toMatch(/\.(?:zip|gz)$/);
    }
  });
});

test('the spoken words are the digits and others, in bands that fit the sensor', () => {
  const spoken = SPOKEN.map((name) => ALL_FACTS.find((facts) => facts.name === name)!);
  const [digits, all, words] = spoken.map(({ classes }) => classes);
  expect([...digits!, ...words!].sort()).toEqual(all);
  for (const facts of spoken) {
    if (!('layout' in facts) || facts.layout !== 'samples') throw new Error(`${facts.name} has no samples`);
    expect(facts.sensor).toEqual({ width: facts.audio?.bands, height: 1 });
  }
});

test('the defaults of sound are those of the schema', () => {
  const schema = JSON.parse(readFileSync(path.join(root, 'schemas/dataset.schema.json'), 'utf8'));
  const rules = Object.entries<{ default: unknown }>(schema.properties.audio.properties);
  expect(Object.fromEntries(rules.map(([key, rule]) => [key, rule.default]))).toEqual(AUDIO_DEFAULTS);
});

test('the published checksums are these', () => {
  // One checksum over all of them, so that no digit of a published one can change unnoticed. Sources: docs/data.md.
  const sets = ALL_FACTS.filter(({ name }) => [...WITH_PROFILE, 'ssc'].includes(name));
  const lines = sets.flatMap(({ name, files }) =>
    files.map(({ name: file, md5 }) => `${name}/${file} ${md5}\n`),
  );
  expect(lines).toHaveLength(30);
  expect(createHash('md5').update(lines.join('')).digest('hex')).toBe('c31d02e41d695d991995b1859822042d');
});
