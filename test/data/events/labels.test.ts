import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatLabels, parseLabels } from '../../../src/data/events/labels.ts';

const options = { file: 'user01_led_labels.csv', classes: 11 };
const header = 'class,startTime_usec,endTime_usec\n';

describe('reading labels', () => {
  test('gives the rows of the golden labels file, and writing them reproduces the file', () => {
    const text = readFileSync(new URL('../../golden/recording_labels.csv', import.meta.url), 'utf8');
    const { labels, warnings } = parseLabels(text, options);
    expect(labels).toEqual([
      { class: 1, startUs: 26783, endUs: 665480 },
      { class: 8, startUs: 778154, endUs: 1072976 },
      { class: 8, startUs: 1072976, endUs: 1411797 },
      { class: 11, startUs: 1519054, endUs: 1942188 },
    ]);
    expect(warnings).toEqual([]);
    expect(formatLabels(labels)).toBe(text);
  });

  test('accepts a row that starts before the one above ends, with a warning', () => {
    expect(parseLabels(`${header}9,10,30\n10,20,40\n`, options).warnings).toEqual([
      expect.stringMatching(/^user01_led_labels\.csv:3 {2}class 10 starts at 20 µs, before class 9/),
    ]);
  });

  test.each([
    ['an empty file', '', '1:1'],
    ['another header', 'class,start,end\n1,2,3\n', '1:1'],
    ['a byte order mark', `\ufeff${header}1,2,3\n`, '1:1'],
    ['a missing field', `${header}1,2,3\n1,2\n`, '3:5'],
    ['a further field', `${header}1,2,3,4\n`, '2:7'],
    ['a number with a point', `${header}1,2.5,3\n`, '2:3'],
    ['a negative number', `${header}1,-2,3\n`, '2:3'],
    ['a missing number', `${header}1,,3\n`, '2:3'],
    ['a number too large to be exact', `${header}1,2,99999999999999999\n`, '2:5'],
    ['class 0', `${header}0,2,3\n`, '2:1'],
    ['a class beyond the last', `${header}12,2,3\n`, '2:1'],
    ['an end before the start', `${header}1,200,199\n`, '2:7'],
    ['an end at the start', `${header}1,200,200\n`, '2:7'],
  ])('rejects %s with line and column', (_, text, place) => {
    expect(() => parseLabels(text, options)).toThrow(
      expect.objectContaining({ code: 'labels', where: `user01_led_labels.csv:${place}` }),
    );
  });
});
