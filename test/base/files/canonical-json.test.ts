import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, hashJson, isSameJson } from '../../../src/base/files/canonical-json.ts';

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

  test('is the same exactly for values that are found the same', () => {
    const small = fc.jsonValue({ maxDepth: 2 });
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(isSameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
        expect(isSameJson(a, structuredClone(a))).toBe(true);
      }),
      { seed: 2020, numRuns: 500 },
    );
    const pairs: [unknown, unknown, boolean][] = [
      [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
      [{ a: undefined }, {}, true],
      [{ a: undefined, b: 1 }, { b: 1, c: undefined }, true],
      [{ a: 1 }, { b: 1 }, false],
      [{ constructor: 1 }, {}, false],
      [{}, { toString: 1 }, false],
      [[1, 2], [2, 1], false],
      [[], {}, false],
      [null, {}, false],
      ['1', 1, false],
    ];
    for (const [a, b, same] of pairs) {
      expect(isSameJson(a, b)).toBe(same);
      expect(canonicalJson(a) === canonicalJson(b)).toBe(same);
    }
  });

  test('rejects what JSON cannot represent', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, () => 1, undefined]) {
      expect(() => canonicalJson({ value: [value] })).toThrow('cannot be written as JSON');
    }
  });
});
