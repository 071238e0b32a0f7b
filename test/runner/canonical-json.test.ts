import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, hashJson } from '../../src/runner/canonical-json.ts';

describe('canonical JSON', () => {
  test('sorts keys by code unit at every depth and leaves lists alone', () => {
    expect(canonicalJson({ b: [2, 1, { z: 1, a: null }], a: true, B: 'x', é: undefined })).toBe(
      '{"B":"x","a":true,"b":[2,1,{"a":null,"z":1}]}',
    );
  });

  test('parses back to an equal value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: 2020 },
    );
  });

  test('does not depend on the order in which keys were added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(hashJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(hashJson(value));
      }),
      { seed: 2020 },
    );
  });

  test('rejects what JSON cannot represent', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, undefined]) {
      expect(() => canonicalJson({ value: [value] })).toThrow('cannot be written as JSON');
    }
  });
});
