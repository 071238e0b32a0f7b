import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { findSubschema, listKeys, readJsonSchema } from '../../../src/base/schema/json-schema.ts';
import {
  COMPAT_DEFAULTS,
  COMPAT_SWITCHES,
  FRAME_SWITCHES,
  type Switch,
} from '../../../src/results/thesis/compat.ts';

/** The part of a JSON Schema that the tests look at. */
interface Section {
  readonly description: string;
  readonly properties?: Readonly<Record<string, Section>>;
  readonly required?: readonly string[];
  readonly $ref?: string;
}

describe('the committed schemas', () => {
  const folder = path.resolve(import.meta.dirname, '../../../schemas');

  test('are valid, also where only strict validation notices', async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.schema.json'));
    expect(names.length).toBeGreaterThanOrEqual(4);
    for (const name of names) {
      const schema = await readJsonSchema(path.join(folder, name), name);
      // Compiles it, and must not throw.
      expect(await schema.check([])).not.toEqual([]);
    }
  });

  test.each(['pipeline', 'profile', 'model'])('%s describes every key', async (name) => {
    const text = await readFile(path.join(folder, `${name}.schema.json`), 'utf8');
    const missing: string[] = [];
    const visit = (node: unknown, at: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const properties = (node as { properties?: Record<string, object> }).properties ?? {};
      for (const [key, child] of Object.entries(properties)) {
        if (!('description' in child) && !('$ref' in child)) missing.push(`${at}/${key}`);
      }
      for (const [key, child] of Object.entries(node)) if (key !== 'if') visit(child, `${at}/${key}`);
    };
    visit(JSON.parse(text), '');
    expect(missing).toEqual([]);
  });

  test.each(['profile', 'model'])('%s says for every optional key what applies without it', async (name) => {
    const schema = JSON.parse(await readFile(path.join(folder, `${name}.schema.json`), 'utf8'));
    const missing: string[] = [];
    /** @param said whether an enclosing section has said so for all its keys */
    const visit = (node: Section, at: string, said: boolean): void => {
      for (const [key, found] of Object.entries(node.properties ?? {})) {
        const child: Section =
          found.$ref?.startsWith('#') !== true ? found : schema.definitions[path.basename(found.$ref)];
        const saysSo =
          said || 'default' in child || /left out|leave it out|without it|omit/i.test(child.description);
        if (!saysSo && node.required?.includes(key) !== true) missing.push(`${at}/${key}`);
        visit(child, `${at}/${key}`, said || /left out/i.test(child.description));
      }
    };
    visit(schema, '', false);
    expect(missing).toEqual([]);
  });

  test('have the switches and the defaults that training has', async () => {
    const { properties } = JSON.parse(await readFile(path.join(folder, 'model.schema.json'), 'utf8'));
    const switches = Object.entries<{ enum: string[]; default: string }>(properties.compat.properties);
    const valuesOf = (switches: Readonly<Record<string, Switch>>) =>
      Object.entries(switches).map(([name, { choices }]) => [name, choices.map(({ value }) => value)]);
    expect(switches.map(([key, rule]) => [key, rule.enum])).toEqual(valuesOf(COMPAT_SWITCHES));
    const profile = JSON.parse(await readFile(path.join(folder, 'profile.schema.json'), 'utf8'));
    const { overlaps, rowStride } = profile.properties.frames.properties;
    expect(Object.entries({ overlaps, rowStride }).map(([key, rule]) => [key, rule.enum])).toEqual(
      valuesOf(FRAME_SWITCHES),
    );
    expect(Object.fromEntries(switches.map(([key, rule]) => [key, rule.default]))).toEqual(COMPAT_DEFAULTS);
  });

  test('let a profile override a model, key by key, as the model’s schema says', async () => {
    const [profile, model] = await Promise.all(
      ['profile', 'model'].map((name) => readJsonSchema(path.join(folder, `${name}.schema.json`), name)),
    );
    const below = (keys: readonly string[], start: string) =>
      keys.filter((key) => key.startsWith(start)).map((key) => key.slice(start.length));
    const own = listKeys(model!);
    const keys = below(listKeys(profile!), 'train.');
    for (const section of ['network.', 'loss.', 'compat.'])
      expect(below(keys, section)).toEqual(below(own, section));
    const training = keys.filter((key) => !/^(engine|network|loss|compat)\b/.test(key));
    expect(training).toEqual(below(own, 'train.'));
    for (const key of [...training, 'network.tau.mean', 'loss.regulariseTau', 'compat.ties'])
      expect(findSubschema(profile!, ['train', ...key.split('.')])).toMatchObject({
        description: expect.any(String),
      });
    // A default of the model's schema is a suggestion for its file.
    expect(findSubschema(profile!, ['train', 'epochs'])).not.toHaveProperty('default');
  });

  test('have no key that docs/pipeline.md leaves out', async () => {
    const page = await readFile(path.join(folder, '../docs/pipeline.md'), 'utf8');
    const keys: string[] = [];
    const visit = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [name, child] of Object.entries(node)) {
        // A network's keys belong to models, which have their own schema and page.
        if (name === 'if' || name === 'network') continue;
        if (name === 'properties') keys.push(...Object.keys(child as object));
        visit(child);
      }
    };
    for (const name of ['pipeline', 'profile']) {
      visit(JSON.parse(await readFile(path.join(folder, `${name}.schema.json`), 'utf8')));
    }
    expect(keys.filter((key) => !new RegExp(`\\b${key}\\b`).test(page))).toEqual([]);
    expect(keys.length).toBeGreaterThan(50);
  });
});
