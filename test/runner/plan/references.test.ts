// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the pipeline's own syntax
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/base/schema/json.ts';
import { expandText, type Lookup, parseTemplate } from '../../../src/runner/plan/profile-settings.ts';

/** The string that expands to exactly `text`. */
function escapeText(text: string): string {
  // A function, because `$$` in a replacement string stands for one `$`.
  return text.replaceAll('${', () => '$${');
}

const values: Readonly<Record<string, Json>> = {
  n: 3,
  f: 0.01,
  b: false,
  s: 'x',
  l: [1, 2],
  z: null,
  'a.b': 'deep',
};
const lookup: Lookup = ({ text, path }) => {
  const value = values[path.join('.')];
  return value === undefined ? { fault: { fragment: text, message: `no ${text}` } } : { value };
};

describe('references in a string', () => {
  test.each<[string, Json]>([
    ['plain', 'plain'],
    ['${n}', 3],
    ['${b}', false],
    ['${z}', null],
    ['${l}', [1, 2]],
    ['${ a.b }', 'deep'],
    ['v${n}', 'v3'],
    ['${n}${n}', '33'],
    ['x-${f}/${b}', 'x-0.01/false'],
    ['$n', '$n'],
    ['$${n}', '${n}'],
    ['$$${n}', '$${n}'],
    ['100 $', '100 $'],
    ['}', '}'],
  ])('%j becomes %j', (text, expected) => {
    expect(expandText(text, lookup)).toEqual({ value: expected });
  });

  test.each([
    ['a ${l}', '"${l}" is a list and cannot be part of a longer string.'],
    ['a ${z}', '"${z}" is null and cannot be part of a longer string.'],
    ['${n', '"${n" has no closing "}".'],
    ['${}', '"${}" is not a reference.'],
    ['${a b}', '"${a b}" is not a reference.'],
    ['${n:-2}', '"${n:-2}" is not a reference.'],
    ['${q}', 'no ${q}'],
    ['a ${q}', 'no ${q}'],
  ])('%j is rejected', (text, message) => {
    expect(expandText(text, lookup)).toMatchObject({ fault: { message } });
  });

  test('any string survives escaping', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '{', '}', 'n', '/', 'é') });
    fc.assert(
      fc.property(text, (written) => {
        expect(expandText(escapeText(written), lookup)).toEqual({ value: written });
      }),
      { seed: 2020 },
    );
  });

  test('no string makes the parser crash', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', '.', 'a', ' ') }), (text) => {
        expect(Object.keys(parseTemplate(text))).toHaveLength(1);
      }),
      { seed: 2020 },
    );
  });
});
