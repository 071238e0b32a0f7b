import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeError } from '../../../src/base/errors.ts';
import { keyAdvice as colon, parseYaml, readYamlFile } from '../../../src/base/schema/yaml-document.ts';
import { sharedTemporaryFolder } from '../../support/temporary-folder.ts';

const folder = sharedTemporaryFolder();

const brackets = 'Close the brackets above, and indent what is in them.';

async function readValue(text: string): Promise<unknown> {
  return (await parseYaml(text, 'f.yaml')).value;
}

async function refusalOf(text: string): Promise<string> {
  return parseYaml(text, 'f.yaml').then(
    () => 'accepted',
    (error: unknown) => describeError(error),
  );
}

async function readBytes(bytes: Uint8Array): Promise<unknown> {
  const file = path.join(folder, 'f.yaml');
  await writeFile(file, bytes);
  return readYamlFile(file, 'f.yaml').then(
    ({ value }) => value,
    (error: unknown) => describeError(error),
  );
}

describe('a YAML file', () => {
  test('gives plain values', async () => {
    expect(await readValue('a: [1, 2.5, yes, true, null, "x"]\nb: {c: }\n')).toEqual({
      a: [1, 2.5, 'yes', true, null, 'x'],
      b: { c: null },
    });
  });

  test('may be JSON', async () => {
    expect(await readValue('{"a": [1, {"b": null}]}')).toEqual({ a: [1, { b: null }] });
  });

  test('knows where keys, values and list entries are written', async () => {
    const document = await parseYaml('a:\n  bb: [x, yy]\n  c:\n', 'f.yaml');
    expect(document.positionOf([])).toMatchObject({ line: 1, column: 1 });
    expect(document.positionOf(['a', 'bb'], 'key')).toMatchObject({ line: 2, column: 3 });
    expect(document.positionOf(['a', 'bb'])).toMatchObject({ line: 2, column: 7 });
    expect(document.positionOf(['a', 'bb', 1])).toMatchObject({ line: 2, column: 11 });
    expect(document.positionIn(['a', 'bb', 1], 'y')).toMatchObject({ line: 2, column: 11 });
    expect(document.positionOf(['a', 'absent', 'deeper'])).toMatchObject({ line: 2, column: 3 });
  });

  test('may use anchors, aliases and merge keys; own keys win over merged ones, the first source over the next', async () => {
    const text = 'x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  b: 5\n  <<: [*x, *y]\nlist: [*x]\n';
    expect(await readValue(text)).toEqual({
      x: { a: 1, b: 2 },
      y: { b: 3, c: 4 },
      z: { b: 5, a: 1, c: 4 },
      list: [{ a: 1, b: 2 }],
    });
    const document = await parseYaml(text, 'f.yaml');
    expect(document.positionOf(['z', 'c'])).toMatchObject({ line: 2, column: 17 });
  });

  test('is rejected by the limit of the parser if aliases of aliases unfold to millions of values', async () => {
    const levels = Array.from({ length: 9 }, (_, i) => {
      const item = i === 0 ? 'x' : `*a${i - 1}`;
      return `a${i}: &a${i} [${Array(9).fill(item).join(', ')}]`;
    });
    const message = 'f.yaml:1:1  not YAML: Excessive alias count';
    expect(await refusalOf(levels.join('\n'))).toContain(message);
  });

  test('takes the nearest anchor above an alias when a name is used again', async () => {
    expect(await readValue('a: &n 1\nb: *n\nc: &n 2\nd: *n\n')).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  test('is rejected when an alias repeats itself or has no anchor', async () => {
    expect(await refusalOf('a: &a [*a]')).toBe(
      'f.yaml:1:8  the alias "*a" is inside the value it repeats, so it never ends.',
    );
    expect(await refusalOf('a: &defaults 1\nb: *default')).toBe(
      'f.yaml:2:4  there is no anchor "&default" above this alias.',
    );
    expect(await refusalOf('a: &a 1\nb: {<<: *a}')).toBe(
      'f.yaml:1:1  not YAML: Merge sources must be maps or map aliases.',
    );
  });

  test('is rejected when a key appears twice', async () => {
    expect(await refusalOf('a: 1\nb: 2\na: 3\n')).toBe('f.yaml:3:1  this key appears twice.');
    expect(await refusalOf('{a: 1, a: 1}')).toBe('f.yaml:1:8  this key appears twice.');
  });

  test.each([
    ['train:\n  epochs:8\n  rate: 1\n', 'f.yaml:2:3', 'Implicit keys need to be on a single line', colon],
    ['a: 1\nepochs:8\n', 'f.yaml:2:1', 'Implicit map keys need to be followed by map values', colon],
    ['a: 1\nmodels\n  - b\n', 'f.yaml:2:1', 'Implicit keys need to be on a single line', colon],
    ['seeds: [2020\nmodels:\n  - a\n', 'f.yaml:2:1', expect.stringContaining('end with a ]'), brackets],
    ['b: {c: 1\nd: 2\n', 'f.yaml:2:1', expect.stringContaining('end with a }'), brackets],
  ])('says what is missing: %j', async (text, where, message, fix) => {
    await expect(parseYaml(text, 'f.yaml')).rejects.toMatchObject({ where, fix });
    const [, found] = /not YAML: (.*)\.$/.exec((await refusalOf(text)).split('\n')[0] ?? '') ?? [];
    expect(found).toEqual(message);
  });

  test('is rejected when it is empty', async () => {
    for (const text of ['', '\n\n', '# only a comment\n', '---\n', '\uFEFF']) {
      expect(await refusalOf(text), JSON.stringify(text)).toMatch(/^f\.yaml:1:1 {2}the file is empty\.$/);
    }
  });

  test('says how to write a reference when its braces are read as a mapping', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
    expect(await refusalOf('inputs: [${dataset.root}]\n')).toContain(
      'Quote every string that contains a reference',
    );
  });

  test('is rejected when a number cannot be represented', async () => {
    expect(await refusalOf('seed: 12345678901234567890')).toBe(
      'f.yaml:1:7  12345678901234567890 is too large to be represented exactly.\n  Quote it if it is a name.',
    );
    expect(await refusalOf('rate: .inf')).toBe('f.yaml:1:7  .inf is not a finite number.');
    expect(await readValue('a: 1e3')).toEqual({ a: 1000 });
  });

  test('is rejected when it has tags', async () => {
    expect(await refusalOf('a: !!binary aGk=')).toContain('is not a string, a number');
    expect(await refusalOf('a: !secret x')).toContain('Unresolved tag: !secret');
  });

  test('is rejected when it is not UTF-8', async () => {
    expect(await readBytes(Uint8Array.of(0x61, 0x3a, 0x20, 0xff, 0x0a))).toBe(
      'f.yaml  is not UTF-8 text.\n  Save the file as UTF-8.',
    );
    expect(await readBytes(Buffer.from('\uFEFFa: 1\n', 'utf16le'))).toContain('not UTF-8');
  });

  test('is rejected when it is missing or a folder', async () => {
    const read = (file: string) => readYamlFile(file, 'f.yaml').then(() => '', describeError);
    expect(await read(path.join(folder, 'missing.yaml'))).toBe('f.yaml  this file does not exist.');
    expect(await read(folder)).toBe('f.yaml  cannot be read: expected a regular file, found a folder');
  });
});
