import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { JsonPath } from '../../src/schema/json.ts';
import { ParsedDocuments } from '../../src/schema/parsed-documents.ts';
import { parseYaml, readYamlFile } from '../../src/schema/yaml-document.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const parsed = vi.hoisted(() => ({ count: 0 }));
vi.mock('yaml', async (importOriginal) => {
  const yaml = await importOriginal<typeof import('yaml')>();
  const parseDocument: typeof yaml.parseDocument = (...args) => {
    parsed.count += 1;
    return yaml.parseDocument(...args);
  };
  return { ...yaml, parseDocument };
});

const text = `# first line
base: &base { 10: ten, 2: [two, "zwei \${x}"] }
merged:
  <<: *base
  own: é
again: *base
empty:
`
  .replace('10:', '"10":')
  .replace('2:', '"2":');

const paths: readonly JsonPath[] = [
  [],
  ['base', '10'],
  ['base', '2', 1],
  ['merged'],
  ['merged', '2'],
  ['merged', 'own'],
  ['again', '2', 0],
  ['empty'],
  ['no', 'such'],
];

let folder: string;
let documents: ParsedDocuments;

beforeEach(async () => {
  folder = await temporaryFolder();
  documents = new ParsedDocuments(path.join(folder, 'documents'));
  await writeFile(path.join(folder, 'a.yaml'), text);
  parsed.count = 0;
});

const read = () => readYamlFile(path.join(folder, 'a.yaml'), 'a.yaml', { documents });

async function cacheFile(): Promise<string> {
  const [name, ...others] = await readdir(path.join(folder, 'documents'));
  expect(others).toEqual([]);
  return path.join(folder, 'documents', name ?? '');
}

describe('a YAML file that was read before', () => {
  test('is not parsed again, and has the same values and positions', async () => {
    const plain = await parseYaml(text, 'a.yaml');
    await read();
    parsed.count = 0;
    const again = await read();
    expect(parsed.count).toBe(0);
    expect(again.value).toEqual(plain.value);
    expect(Object.keys(again.value as object)).toEqual(Object.keys(plain.value as object));
    for (const one of paths) {
      for (const part of ['key', 'value'] as const) {
        expect([one, again.positionOf(one, part)]).toEqual([one, plain.positionOf(one, part)]);
      }
    }
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
    expect(again.positionIn(['base', '2', 1], '${x}')).toEqual({ file: 'a.yaml', line: 2, column: 43 });
  });

  test('is parsed if its text is another, once', async () => {
    await read();
    await writeFile(path.join(folder, 'a.yaml'), 'other: 1\n');
    parsed.count = 0;
    expect((await read()).value).toEqual({ other: 1 });
    expect((await read()).value).toEqual({ other: 1 });
    expect(parsed.count).toBe(1);
    await cacheFile();
  });

  test('is parsed if what is remembered is damaged anywhere', async () => {
    await read();
    const file = await cacheFile();
    const whole = await readFile(file);
    const damages: (() => Promise<void>)[] = [
      () => truncate(file, 0),
      () => truncate(file, whole.length - 3),
      ...[3, 70, whole.length - 30].map((at) => () => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return writeFile(file, bytes);
      }),
    ];
    for (const damage of damages) {
      await damage();
      parsed.count = 0;
      expect((await read()).value).toMatchObject({ again: { 10: 'ten' } });
      expect(parsed.count).toBe(1);
      expect(await readFile(file)).toEqual(whole);
    }
  });

  test('is not remembered if it is wrong', async () => {
    await writeFile(path.join(folder, 'a.yaml'), 'a: 1\na: 2\n');
    for (let i = 0; i < 2; i += 1) await expect(read()).rejects.toThrow('twice');
    await expect(readdir(path.join(folder, 'documents'))).rejects.toThrow('ENOENT');
  });
});
