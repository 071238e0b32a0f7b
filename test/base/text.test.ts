import { expect, test } from 'vitest';
import { escapeControls, quoteName } from '../../src/base/text.ts';

test.each([
  ['C0', '\u001b]0;owned\u0007\r\n\t', '\\u001b]0;owned\\u0007\\u000d\\u000a\\u0009'],
  ['DEL and C1', '\u007f\u009b2J', '\\u007f\\u009b2J'],
  ['bidirectional overrides', 'a\u202eb\u2066c\u200f\u061c', 'a\\u202eb\\u2066c\\u200f\\u061c'],
  ['line separators', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
])('%s are escaped', (_, text, expected) => {
  expect(escapeControls(text)).toBe(expected);
  expect(quoteName(text)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u);
});

test('other text stays as it is, and names are quoted and cut', () => {
  expect(escapeControls('τ = 2, λ “é” 🎉')).toBe('τ = 2, λ “é” 🎉');
  expect(quoteName('a"b')).toBe('"a\\"b"');
  expect(quoteName('abcdef', 3)).toBe('"abc"');
});
