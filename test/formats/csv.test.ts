import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCsv, readCsv } from '../../src/formats/csv.ts';

/** The rows, and for each cell below the first row its line and column. */
function read(text: string) {
  const { names, rows, placeOf } = readCsv(text, (problem, { line, column }) => {
    throw new Error(`${line}:${column} ${problem}`);
  });
  const places = rows.map((row) => row.map((_, cell) => Object.values(placeOf(row, cell)).join(':')));
  return { rows: [names, ...rows], places };
}

describe('a table', () => {
  test('has places for its cells, behind quotes and line breaks', () => {
    expect(read('a,b,c\n"1\n2","say ""3""",4\n5" x,6,7\n').places).toEqual([
      ['2:1', '3:4', '3:16'],
      ['4:1', '4:6', '4:8'],
    ]);
  });

  test('without anything has one column without a name', () => {
    expect(read('')).toEqual({ rows: [['']], places: [] });
  });

  test.each([
    ['a,b\n1\n', '2:1 expected 2 cells'],
    ['a,b\n1,2,3\n', '2:5 expected 2 cells'],
    ['a,A \n', '1:3 two columns are called "a"'],
    ['a,b\n1,"2" x\n', '2:3 this cell starts with a quote'],
    ['a,b\n1,"2\n', '2:3 this cell starts with a quote'],
  ])('that is %j is refused', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test('is read as it was written', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '1', ' ', ',', ';', '"', '\n', 'é') });
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 5 }));
    fc.assert(
      fc.property(table, (cells) => {
        const names = (cells[0] ?? ['', '']).map((_, column) => `column ${column}`);
        expect(read(formatCsv([names, ...cells])).rows).toEqual([names, ...cells]);
      }),
    );
  });

  test('has empty cells for what is missing, and numbers in their shortest form', () => {
    expect(
      formatCsv([
        ['a', 'b'],
        [null, -1e-7],
      ]),
    ).toBe('a,b\n,-1e-7\n');
  });
});
