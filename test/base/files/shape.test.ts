import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { checkShape, count, number, numberOrNumbers, readJson } from '../../../src/base/files/shape.ts';

const from = { file: 'a.json', code: 'a-invalid', fix: 'Make it again.' };
const shape = v.object({
  kind: v.picklist(['number', 'string']),
  rows: v.array(v.object({ clips: count, rates: v.exactOptional(numberOrNumbers) })),
  at: v.nullish(number, null),
  on: v.optional(v.boolean(), true),
});
const good = { kind: 'number', rows: [{ clips: 3, rates: [0.5] }] };

describe('a JSON file', () => {
  const read = (value: unknown) => readJson(shape, JSON.stringify(value), from);

  it('is read without what its shape does not name, and with what it says of keys that are missing', () => {
    expect(read({ ...good, more: 1 })).toEqual({ ...good, at: null, on: true });
  });

  it.each([
    [[], 'field "kind" is missing'],
    [null, 'the file: expected an object, found null'],
    [{ ...good, kind: 'list' }, 'field "kind": expected "number" or "string", found "list"'],
    [{ ...good, rows: {} }, 'field "rows": expected a list, found {}'],
    [{ ...good, rows: [{}] }, 'field "rows[0].clips" is missing'],
    [{ ...good, rows: [{ clips: -1 }] }, 'field "rows[0].clips": expected a whole number from 0, found -1'],
    [{ ...good, rows: [{ clips: 1.5 }] }, 'field "rows[0].clips": expected a whole number from 0, found 1.5'],
    [
      { ...good, rows: [{ clips: 1, rates: ['x'] }] },
      'field "rows[0].rates": expected a number or a list of',
    ],
    [{ ...good, at: '\u001b[2J' }, 'field "at": expected a number, found "\\u001b[2J"'],
    [{ ...good, at: 'x'.repeat(100) }, `expected a number, found "${'x'.repeat(56)}...`],
    [{ ...good, on: 'yes' }, 'field "on": expected true or false, found "yes"'],
  ])('that does not fit is refused naming field, expected and found: %j', (value, message) => {
    const { file: where, ...rest } = from;
    expect(() => read(value)).toThrow(expect.objectContaining({ ...rest, where }));
    expect(() => read(value)).toThrow(message);
  });

  it('that is no JSON is refused naming the line', () => {
    expect(() => readJson(shape, '{\n"a": 1,\n}', from)).toThrow('the file is not valid JSON in line 3: ');
    expect(() => readJson(shape, '{"a', from)).toThrow('the file is not valid JSON');
  });

  it('that is nested without end is refused', () => {
    const text = `{"kind":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(() => readJson(shape, text, from)).toThrow('it is nested more than 100 deep');
  });
});

it('a number that JSON cannot hold is none, and a key that is not known is named', () => {
  const strict = v.strictObject({ at: number });
  expect(() => checkShape(strict, { at: Number.POSITIVE_INFINITY }, from, 'cases.b')).toThrow(
    'field "cases.b.at": expected a number, found null',
  );
  expect(() => checkShape(strict, { at: 1, other: 2 }, from, 'cases.b')).toThrow(
    'field "cases.b.other" is unknown',
  );
});
