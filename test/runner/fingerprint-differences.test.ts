import { describe, expect, test } from 'vitest';
import { explainDifference } from '../../src/runner/freshness/differences.ts';
import { type FingerprintParts, hashParts } from '../../src/runner/store/fingerprint-parts.ts';

const parts: FingerprintParts = {
  version: 1,
  command: { kind: 'module', path: 'stages/a.ts' },
  code: { 'stages/a.ts': 'c1' },
  packages: { a: '1.0.0' },
  params: { layers: [{ kind: 'conv', size: 3 }], epochs: 2 },
  matrix: { seed: 1 },
  inputs: [
    { path: 'one', external: true, digest: 'd1' },
    { path: 'two', external: true, digest: 'd2' },
    { path: 'three', external: false, digest: 'd3' },
    { path: 'four', external: false, digest: 'd4' },
  ],
  outputs: ['artifacts/a', 'artifacts/b'],
  variables: { MOOD: null },
  facts: { engine: 'native' },
  runtime: { platform: 'linux', arch: 'x64' },
};

async function explain(now: Partial<FingerprintParts>, before: FingerprintParts = parts): Promise<string[]> {
  const trees = { before: async () => null, now: async () => null };
  const reasons = await explainDifference(before, { ...parts, ...now }, trees);
  return reasons.map(({ text }) => text);
}

const [one, two, three, four] = parts.inputs as [
  FingerprintParts['inputs'][0],
  FingerprintParts['inputs'][0],
  FingerprintParts['inputs'][0],
  FingerprintParts['inputs'][0],
];

describe('the differences of two fingerprints', () => {
  test('are none where only the order of keys differs, in lists too', async () => {
    const params = { epochs: 2, layers: [{ size: 3, kind: 'conv' }] };
    expect(hashParts({ ...parts, params })).toBe(hashParts(parts));
    expect(await explain({ params })).toEqual([]);
  });

  test.each(
    Object.entries<[now: Partial<FingerprintParts>, expected: string[]]>({
      'external inputs in another order': [
        { inputs: [two, one, three, four] },
        ['inputs are in another order'],
      ],
      'inputs in another order': [{ inputs: [one, two, four, three] }, ['inputs are in another order']],
      'inputs in another order, one of which changed': [
        { inputs: [one, two, four, { ...three, digest: 'x' }] },
        ['three changed', 'inputs are in another order'],
      ],
      'external data that moved and changed': [
        { inputs: [{ ...one, path: 'away', digest: 'x' }, two, three, four] },
        ['away changed'],
      ],
      'external data that moved': [{ inputs: [{ ...one, path: 'away' }, two, three, four] }, []],
      'an input more': [
        { inputs: [one, two, three, { ...three, path: 'more' }, four] },
        ['more is a new input'],
      ],
      'an input less': [{ inputs: [one, three, four] }, ['two is no longer an input']],
      'an input that became external': [
        { inputs: [one, two, { ...three, external: true }, four] },
        ['three has another `external:`'],
      ],
      'a variable that is declared, but not set': [
        { variables: { MOOD: null, OTHER: null } },
        ['variable OTHER is new, and not set'],
      ],
      'a variable that is no longer declared': [{ variables: {} }, ['variable MOOD is no longer declared']],
      'names that every object knows': [
        {
          variables: { MOOD: null, constructor: 'x' } as never,
          code: { ...parts.code, toString: 'c2' } as never,
        },
        ['toString is new', 'variable constructor: unset → x'],
      ],
      'null instead of nothing': [{ params: { ...parts.params, more: null } }, ['more: unset → null']],
      'an empty mapping instead of nothing': [
        { params: { ...parts.params, more: {} } },
        ['more: unset → {}'],
      ],
      'outputs that look alike': [
        { outputs: ['artifacts/a, artifacts/b'] },
        ['outputs: artifacts/a, artifacts/b → ["artifacts/a, artifacts/b"]'],
      ],
    }),
  )('are named: %s', async (_, [now, expected]) => {
    expect(await explain(now)).toEqual(expected);
    expect(hashParts({ ...parts, ...now }) !== hashParts(parts)).toBe(expected.length > 0);
  });

  test('are never silent', async () => {
    const before = { ...parts, more: 'of another version of the runner' };
    expect(await explain({}, before)).toEqual([
      'the record of its last run does not match, but no difference was found',
    ]);
  });
});
