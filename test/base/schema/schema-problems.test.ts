import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeError } from '../../../src/base/errors.ts';
import { readJsonSchema } from '../../../src/base/schema/json-schema.ts';
import { ConfigurationError, type Problem } from '../../../src/base/schema/problems.ts';
import { findFileProblems } from '../../../src/base/schema/schema-problems.ts';
import { keyAdvice } from '../../../src/base/schema/yaml-document.ts';
import { sharedTemporaryFolder } from '../../support/temporary-folder.ts';

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'network'],
  properties: {
    id: { type: 'string', pattern: '^[a-z]+$', description: 'Lower-case letters only.' },
    network: {
      type: 'object',
      additionalProperties: false,
      required: ['pooling'],
      properties: {
        pooling: { enum: ['max', 'average'] },
        channels: { type: 'integer', minimum: 1, maximum: 256 },
        rate: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
      },
    },
    tags: { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string' } },
    tau: {
      oneOf: [
        { type: 'number' },
        {
          type: 'object',
          additionalProperties: false,
          required: ['mean'],
          properties: { mean: { type: 'number' } },
        },
      ],
    },
    source: {
      type: 'object',
      description: 'Where it comes from.',
      oneOf: [{ required: ['file'] }, { required: ['url'] }],
      properties: { file: { type: 'string' }, url: { type: 'string' } },
    },
  },
};

const root = sharedTemporaryFolder();
beforeAll(async () => {
  await writeFile(path.join(root, 's.json'), JSON.stringify(schema));
});

async function findProblems(text: string, schemaFile: string): Promise<readonly Problem[]> {
  await writeFile(path.join(root, 'm.yaml'), text);
  const rules = await readJsonSchema(path.join(root, schemaFile), schemaFile);
  return findFileProblems('m.yaml', rules, root);
}

/** The message about a file, or `fine`. */
async function check(text: string, schemaFile = 's.json'): Promise<string> {
  return findProblems(text, schemaFile).then(
    (problems) => (problems.length === 0 ? 'fine' : describeError(new ConfigurationError(problems))),
    (error: unknown) => describeError(error),
  );
}

describe('a YAML file checked against a schema', () => {
  test('gives its value when it is valid', async () => {
    expect(await check('id: a\nnetwork: {pooling: max}\n')).toBe('fine');
  });

  test.each(
    Object.entries<string>({
      'id: a\nnetwork:\n  pooling: maxx\n':
        'm.yaml:3:12  network.pooling: "maxx" is not one of "max", "average".\n  Closest: "max".',
      'id: a\nnetwork: {pooling: max, chanels: 3}\n':
        'm.yaml:2:25  network: unknown key "chanels".\n  Closest: "channels".',
      'id: a\nnetwork: {pooling: max, channels: 2.5}\n':
        'm.yaml:2:35  network.channels: must be a whole number, not 2.5.',
      'id: a\nnetwork: {pooling: max, channels: 0}\n':
        'm.yaml:2:35  network.channels: must be at least 1, not 0.',
      'id: a\nnetwork: {pooling: max, rate: 1}\n': 'm.yaml:2:31  network.rate: must be less than 1, not 1.',
      'id: A1\nnetwork: {pooling: max}\n':
        'm.yaml:1:5  id: "A1" has the wrong form.\n  Lower-case letters only.',
      'id: a\nnetwork: {}\n': 'm.yaml:2:1  network: "pooling" is missing.',
      'id: a\nnetwork: [max]\n': 'm.yaml:2:10  network: must be a mapping, not a list.',
      'id: a\nnetwork: {pooling: max}\ntags: []\n': 'm.yaml:3:7  tags: must not be empty.',
      'id: a\nnetwork: {pooling: max}\ntags: [x, y, x]\n':
        'm.yaml:3:7  tags: has the same entry twice (entries 1 and 3).',
      '- a\n': 'm.yaml:1:1  must be a mapping, not a list.',
      '': 'm.yaml:1:1  the file is empty.',
      'id: a\nnetwork: {pooling: max, channels: "8", rate: "0.5"}\n':
        'm.yaml:2:35  network.channels: must be a whole number, not "8".\n  Write it without quotes: 8.\nm.yaml:2:46  network.rate: must be a number, not "0.5".\n  Write it without quotes: 0.5.',
      'id: a\nnetwork: {pooling: max, channels: "8.5"}\n':
        'm.yaml:2:35  network.channels: must be a whole number, not "8.5".',
      'id: a\nnetwork:\n  pooling:max\n': `m.yaml:3:3  network: must be a mapping, not "pooling:max".\n  ${keyAdvice}`,
      'id: a\nnetwork: {pooling: max, channels:8}\n':
        'm.yaml:2:25  network: unknown key "channels:8".\n  Closest: "channels".',
      'id: a\nnetwork:\n  pooling max\n': `m.yaml:3:3  network: must be a mapping, not "pooling max".\n  ${keyAdvice}`,
      'id: a\nnetwork: {pooling: max, channels 8}\n':
        'm.yaml:2:25  network: unknown key "channels 8".\n  Closest: "channels".',
      'id: a\nnetwork:\n  pool ing: max\n':
        'm.yaml:3:3  network: unknown key "pool ing".\n  Closest: "pooling".',
    }),
  )('is rejected: %j', async (text, expected) => {
    expect(await check(text)).toBe(expected);
  });

  test('names a missing key only once when it is misspelt', async () => {
    expect(await check('id: a\nnetwrok: {pooling: max}\n')).toBe(
      'm.yaml:2:1  unknown key "netwrok".\n  Closest: "network".',
    );
  });

  test('reports all problems, in file order', async () => {
    const text = 'tags: [1]\nid: 3\nnetwork: {pooling: min, x: 1}\n';
    expect((await check(text)).split('\n').filter((line) => line.startsWith('m.yaml'))).toEqual([
      'm.yaml:1:8  tags[0]: must be a string, not 1.',
      'm.yaml:2:5  id: must be a string, not 3.',
      'm.yaml:3:20  network.pooling: "min" is not one of "max", "average".',
      'm.yaml:3:25  network: unknown key "x".',
    ]);
  });

  test('says which forms a choice has', async () => {
    const base = 'id: a\nnetwork: {pooling: max}\n';
    expect(await check(`${base}tau: x\n`)).toBe('m.yaml:3:1  tau: matches none of the forms allowed here.');
    expect(await check(`${base}tau: {mean: 1, std: 0}\n`)).toBe(
      'm.yaml:3:16  tau: unknown key "std".\n  Known: "mean".',
    );
    expect(await check(`${base}source: {}\n`)).toBe(
      'm.yaml:3:1  source: must have exactly one of "file" and "url"; it has neither.\n  Where it comes from.',
    );
    expect(await check(`${base}source: {file: a, url: b}\n`)).toContain('; it has both.');
  });

  test('reports problems to programs too', async () => {
    const problems = await findProblems('id: 3\n', 's.json');
    expect(problems.map(({ at }) => at)).toEqual([
      { file: 'm.yaml', line: 1, column: 1 },
      { file: 'm.yaml', line: 1, column: 5 },
    ]);
  });
});
