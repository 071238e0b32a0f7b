import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeError } from '../../src/errors.ts';
import { parseYaml, readYamlFile } from '../../src/schema/yaml-document.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';

const folder = sharedTemporaryFolder();

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

  test('may begin with a byte order mark, which does not move its positions', async () => {
    const file = path.join(folder, 'bom.yaml');
    await writeFile(file, '\uFEFFa: 1\n');
    const document = await readYamlFile(file, 'bom.yaml');
    expect(document.value).toEqual({ a: 1 });
    expect(document.positionOf(['a'])).toEqual({ file: 'bom.yaml', line: 1, column: 4 });
  });

  test('may have Windows line ends', async () => {
    const document = await parseYaml('a: 1\r\nb:\r\n  c: x\r\n', 'f.yaml');
    expect(document.value).toEqual({ a: 1, b: { c: 'x' } });
    expect(document.positionOf(['b', 'c'])).toMatchObject({ line: 3, column: 6 });
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

  test('takes the nearest anchor above an alias when a name is used again', async () => {
    expect(await readValue('a: &n 1\nb: *n\nc: &n 2\nd: *n\n')).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  test('is rejected when its aliases unfold to a bomb', async () => {
    const levels = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level += 1) {
      levels.push(
        `a${level}: &a${level} [${Array(9)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    }
    expect(await refusalOf(levels.join('\n'))).toBe(
      'f.yaml:7:9  the aliases here unfold to more than a million values.',
    );
  });

  test('may use one anchor ten thousand times', async () => {
    const text = `x: &x {a: 1}\nlist:\n${'  - *x\n'.repeat(10_000)}`;
    expect(await readValue(text)).toMatchObject({ x: { a: 1 } });
  });

  test('is rejected when an alias repeats itself or has no anchor', async () => {
    expect(await refusalOf('a: &a [*a]')).toBe(
      'f.yaml:1:8  the alias "*a" is inside the value it repeats, so it never ends.',
    );
    expect(await refusalOf('a: &defaults 1\nb: *default')).toBe(
      'f.yaml:2:4  there is no anchor "&default" above this alias.\n  Closest: "defaults".',
    );
    expect(await refusalOf('a: &a 1\nb: {<<: *a}')).toBe(
      'f.yaml:2:5  "<<" can only merge mappings.\n  Write `<<: *anchor`.',
    );
  });

  test('is rejected when a key appears twice, with the places of both', async () => {
    expect(await refusalOf('a: 1\nb: 2\na: 3\n')).toBe(
      'f.yaml:3:1  the key "a" appears twice.\n  The first one is on line 1, column 1.',
    );
    expect(await refusalOf('{a: 1, a: 1}')).toBe(
      'f.yaml:1:8  the key "a" appears twice.\n  The first one is on line 1, column 2.',
    );
  });

  test('is rejected when a key is not a string', async () => {
    expect(await refusalOf('2020: x')).toBe('f.yaml:1:1  the key 2020 is not a string.\n  Quote it: "2020".');
    expect(await refusalOf('true: x')).toBe('f.yaml:1:1  the key true is not a string.\n  Quote it: "true".');
    expect(await refusalOf('? [a]\n: x')).toContain('f.yaml:1:3  a key must be a string.');
    expect(await refusalOf(': x')).toContain('f.yaml:1:1  the key');
  });

  test('cannot reach into prototypes', async () => {
    expect(await refusalOf('__proto__: {polluted: 1}')).toBe('f.yaml:1:1  "__proto__" cannot be a key.');
    expect(await refusalOf('a: {<<: {__proto__: {polluted: 1}}}')).toContain('"__proto__" cannot be a key.');
    const value = await readValue('constructor: {prototype: {polluted: 1}}\ntoString: x\n');
    expect(Object.keys(value as object)).toEqual(['constructor', 'toString']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('is rejected when it is indented with tabs', async () => {
    expect(await refusalOf('a:\n\tb: 1\n')).toMatch(/^f\.yaml:2:1 {2}.*\n {2}Indent with spaces\.$/);
    expect(await refusalOf('a:\n  b:\n  \t- 1\n')).toContain('Indent with spaces.');
  });

  test.each([
    ['train:\n  epochs:8\n  rate: 1\n', 'f.yaml:2:3  not YAML: "epochs:8" is', 'epochs: 8'],
    ['a: 1\nepochs:8\n', 'f.yaml:2:1  not YAML: "epochs:8" is', 'epochs: 8'],
    ['- a: 1\n  name:x y\n', 'f.yaml:2:3  not YAML: "name:x y" is', 'name: x y'],
  ])('names the cause when a space is missing after a colon: %j', async (text, message, mended) => {
    expect(await refusalOf(text)).toBe(
      `${message} neither a key with a value nor a string.\n  A space is missing after the colon: "${mended}".`,
    );
  });

  test.each([
    ['name: quick\ntrain\n  epochs: 3\nframes: {}\n', 'f.yaml:2:1  not YAML: "train" is', 'train:'],
    ['train # below\n  epochs: 3\n', 'f.yaml:1:1  not YAML: "train # below" is', 'train:'],
    ['train:\n  epochs 3\n  rate: 1\n', 'f.yaml:2:3  not YAML: "epochs 3" is', 'epochs: 3'],
    ['a: 1\nmodels\n  - b\n', 'f.yaml:2:1  not YAML: "models" is', 'models:'],
    ['a: 1\nmodels [b, c]\nd: 2\n', 'f.yaml:2:1  not YAML: "models [b, c]" is', 'models: [b, c]'],
    ['- id a\n  name: b\n', 'f.yaml:1:3  not YAML: "- id a" is', 'id: a'],
    ['a: # c\n  b 3\n\n  # d\n  c: 4\n', 'f.yaml:2:3  not YAML: "b 3" is', 'b: 3'],
    ['a:\n  - id # x\n    n: 1\n', 'f.yaml:2:5  not YAML: "- id # x" is', 'id:'],
  ])('names the line where a colon is missing: %j', async (text, message, mended) => {
    expect(await refusalOf(text)).toBe(
      `${message} neither a key with a value nor a string.\n  A colon is missing: "${mended}".`,
    );
  });

  test('is not said to lack a colon that would not help', async () => {
    expect(await refusalOf('a: >\n  some words\n b: : c\n')).not.toContain('colon');
  });

  test('is not said to lack a space if the colon belongs to an address', async () => {
    expect(await refusalOf('a: 1\nhttps://example.org\n')).not.toContain('space is missing');
  });

  test('is rejected when a quote is left open', async () => {
    expect(await refusalOf('a: "b\n')).toContain('not YAML: the closing " of a string is missing.');
    expect(await refusalOf("a: 'b\n")).toContain("not YAML: the closing ' of a string is missing.");
  });

  test.each([
    ['name: x\nseeds: [2020\nmodels:\n  - a\n', 'f.yaml:2:8', ']', 'list'],
    ['seeds: [2020\n\n# more\nmodels: [a]\n', 'f.yaml:1:8', ']', 'list'],
    ['a: 1\nb: {c: 1\nd: 2\n', 'f.yaml:2:4', '}', 'mapping'],
    ['a: [1, {b: 2]\nc: 1\n', 'f.yaml:1:8', '}', 'mapping'],
    ['a: [[1]\nc: 1\n', 'f.yaml:1:4', ']', 'list'],
    ['[1, 2\n', 'f.yaml:1:1', ']', 'list'],
  ])(
    'is rejected where a list or mapping begins whose bracket is left open: %j',
    async (text, at, bracket, kind) => {
      expect(await refusalOf(text)).toContain(
        `${at}  not YAML: the closing ${bracket} of the ${kind} that begins here is missing.\n`,
      );
    },
  );

  test('is rejected when it is empty', async () => {
    for (const text of ['', '\n\n', '# only a comment\n', '---\n', '\uFEFF']) {
      expect(await refusalOf(text), JSON.stringify(text)).toMatch(/^f\.yaml:1:1 {2}the file is empty\.$/);
    }
  });

  test('is rejected when a second document follows', async () => {
    expect(await refusalOf('a: 1\n---\nb: 2\n')).toBe(
      'f.yaml:2:1  a second document begins here; a file may contain only one.\n  Delete the line "---" and what follows it.',
    );
    expect(await readValue('---\na: 1\n...\n')).toEqual({ a: 1 });
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
    expect(await refusalOf('a: !secret x')).toContain('only plain YAML is supported.');
  });

  test('is rejected when it is nested absurdly deep, written out or through aliases', async () => {
    expect(await refusalOf('['.repeat(100_000))).toMatch(/nested|not YAML/);
    expect(await refusalOf(`${'['.repeat(300)}${']'.repeat(300)}`)).toContain(
      'nested more than 200 levels deep',
    );
    const chain = ['a0: &a0 [x]'];
    for (let level = 1; level < 300; level += 1) chain.push(`a${level}: &a${level} [*a${level - 1}]`);
    expect(await refusalOf(chain.join('\n'))).toContain('nested more than 200 levels deep');
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
