import { describe, expect, it } from 'vitest';
import { chooseFigures, readFigureList } from '../../src/figure-export/figure-list.ts';

const listed = (id: string, more: object = {}) => ({
  id,
  title: id,
  caption: '',
  alt: '',
  svg: `${id}.svg`,
  csv: `${id}.csv`,
  ...more,
});
const textOf = (figures: readonly object[]): string => JSON.stringify({ version: 1, figures });

describe('the list of figures', () => {
  it.each([
    ['another version', JSON.stringify({ version: 2, figures: [] })],
    ['a file elsewhere', textOf([listed('a', { svg: '../../etc/passwd.svg' })])],
    ['a table elsewhere', textOf([listed('a', { csv: '/etc/passwd.csv' })])],
    ['another kind of file', textOf([listed('a', { svg: 'a.html' })])],
    ['no title', textOf([listed('a', { title: 3 })])],
  ])('with %s is refused, naming the file', (_, text) => {
    expect(() => readFigureList('x/index.json', text)).toThrow(
      expect.objectContaining({ code: 'figure-file', where: expect.stringContaining('x/index.json') }),
    );
  });

  it('is searched with or without the mark of simulated data, in the order of the report', () => {
    const list = readFigureList(
      'f',
      textOf([listed('simulated-a'), listed('simulated-b'), listed('simulated-c')]),
    );
    const ids = (wanted: readonly string[]) => chooseFigures(list, wanted).map(({ id }) => id);
    expect(ids([])).toEqual(['simulated-a', 'simulated-b', 'simulated-c']);
    expect(ids(['c', 'simulated-a'])).toEqual(['simulated-a', 'simulated-c']);
    expect(() => ids(['d'])).toThrow(/no figure "d"/);
  });
});
