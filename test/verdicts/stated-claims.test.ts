import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readStatedClaims } from '../../src/verdicts/stated-claims.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'claims-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(...lines: string[]) {
  const file = path.join(folder, 'judge.yaml');
  writeFileSync(file, lines.join('\n'));
  return readStatedClaims(file);
}

const claim = (measure: string, id = 'one') => [
  `  - id: ${id}`,
  '    statement: so',
  '    evidence: { section: "4.3", page: 7, at: table 1 }',
  `    measure: ${measure}`,
];
const HEAD = ['version: 1', 'source: Doe et al. 2025', 'claims:'];

describe('claims to judge by', () => {
  test('have the source of the file, and its defaults', async () => {
    const measure = { kind: 'accuracy', arm: 'a', published: 0.9, n: 100 };
    expect(await read(...HEAD, ...claim(JSON.stringify(measure)))).toEqual({
      better: 'higher',
      trainings: 'drawn',
      placeOf: expect.any(Function),
      claims: [
        {
          id: 'one',
          statement: 'so',
          evidence: { source: 'Doe et al. 2025', section: '4.3', page: 7, at: 'table 1' },
          measure,
        },
      ],
    });
  });

  test.each([
    ['an unknown kind', claim('{ kind: equal, arm: a, than: b, margin: 1 }'), ':7:22', /kind/],
    ['no margin', claim('{ kind: equivalence, arm: a, than: b }'), ':7:5', /"margin" is missing/],
    [
      'a misspelt key',
      claim('{ kind: equivalence, arm: a, then: b, margin: 1 }'),
      ':7:',
      /unknown key "then"/,
    ],
    ['a percentage', claim('{ kind: accuracy, arm: a, published: 95.5, n: 288 }'), ':7:', /published/],
    ['a margin of 0', claim('{ kind: no-worse, arm: a, than: b, margin: 0 }'), ':7:', /margin/],
    [
      'a deviation of nobody knows how many',
      claim('{ kind: accuracy, arm: a, published: 0.9, n: 9, sd: 0.1 }'),
      ':7:',
      /seeds/,
    ],
    [
      'people but no error of their score',
      claim('{ kind: score, arm: a, published: 1, margin: 1, groups: 6 }'),
      ':7:',
      /error/,
    ],
    [
      'an arm beside itself',
      claim('{ kind: difference, arm: a, than: a }'),
      ':7:',
      /arm and than are both "a"/,
    ],
    [
      'a margin in points',
      claim('{ kind: accuracy, arm: a, published: 0.9, n: 9, margin: 2 }'),
      ':7:',
      /margin/,
    ],
    [
      'an id twice',
      [...claim('{ kind: untestable, because: so }'), ...claim('{ kind: untestable, because: so }')],
      ':8:9',
      /id "one" is used twice\./,
    ],
  ])('with %s are refused at its place', async (_, lines, place, message) => {
    const failure = await read(...HEAD, ...lines).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'configuration', message: expect.stringMatching(message) });
    expect((failure as { where: string }).where).toContain(`judge.yaml${place}`);
  });

  test('need a source', async () => {
    await expect(
      read('version: 1', 'claims:', ...claim('{ kind: untestable, because: so }')),
    ).rejects.toThrow('"source" is missing, here and at the top of the file.');
  });
});
