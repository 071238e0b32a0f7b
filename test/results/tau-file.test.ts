import { describe, expect, it } from 'vitest';
import { formatTaus, readTaus } from '../../src/results/tau-file.ts';
import { resultFile } from './examples.ts';

const HEAD = 'state,layer,count,quantile,tau';
/** The rows of a layer with three neurons, whose τ go evenly from 1 to 2. */
const spread = (state: string, layer: number, count = 3) =>
  Array.from({ length: 101 }, (_, i) => `${state},${layer},${count},${i / 100},${1 + i / 100}`);
const read = (...rows: string[]) => readTaus(resultFile('tau.csv', `${[HEAD, ...rows].join('\n')}\n`));

describe('tau.csv', () => {
  it('has one row for each quantile, with the median for a single τ', () => {
    const layers = (tau: number) => [
      { count: 2, taus: Array.from({ length: 101 }, (_, i) => tau + i / 100) },
      { count: 1, taus: [tau] },
    ];
    const lines = formatTaus({ chosen: layers(2), last: layers(3) }).split('\n');
    expect(lines[0]).toBe('state,layer,count,quantile,tau');
    expect(lines[1]).toBe('chosen,0,2,0,2');
    expect(lines[26]).toBe('chosen,0,2,0.25,2.25');
    expect(lines[102]).toBe('chosen,1,1,0.5,2');
    expect(lines.slice(-3)).toEqual(['last,0,2,1,4', 'last,1,1,0.5,3', '']);
  });

  it('reads the quantiles of each layer in both states', () => {
    expect(
      read(...spread('chosen', 0), 'chosen,1,1,0.5,2.5', 'last,0,1,0.5,2', ...spread('last', 1)),
    ).toEqual({
      chosen: [
        { count: 3, taus: Array.from({ length: 101 }, (_, i) => 1 + i / 100) },
        { count: 1, taus: [2.5] },
      ],
      last: [
        { count: 1, taus: [2] },
        { count: 3, taus: Array.from({ length: 101 }, (_, i) => 1 + i / 100) },
      ],
    });
  });

  it.each(
    Object.entries<[reading: () => unknown, message: string]>({
      'a missing column': [
        () => readTaus(resultFile('tau.csv', 'state,layer\n')),
        'column "count" is missing',
      ],
      'a cell that is no number': [
        () => read('last,0,1,half,2'),
        'line 2, column "quantile": expected a number, found "half"',
      ],
      'a cut-off row': [() => read('last,0,1,0.5,2', 'last,1'), 'line 3: expected 5 cells'],
      'an unknown state': [
        () => read('first,0,1,0.5,2'),
        'line 2, column "state": expected "chosen" or "last", found "first"',
      ],
      'a missing layer': [
        () => read('last,0,1,0.5,2', 'last,2,1,0.5,2'),
        'line 3, column "quantile": expected an earlier layer, found 0.5',
      ],
      'quantiles out of order': [
        () => read('last,0,2,0,2', 'last,0,2,0,1'),
        'line 3, column "quantile": expected 0.01, found 0',
      ],
      'a file that is cut off at the end of a line': [
        () => read(...spread('chosen', 0), ...spread('last', 0).slice(0, 44)),
        'state "last", layer 0: expected 101 rows, found 44',
      ],
      'a row missing in the middle': [
        () => read(...spread('last', 0).filter((_, i) => i !== 50), 'last,1,1,0.5,2'),
        'line 52, column "quantile": expected 0.5, found 0.51',
      ],
      'a row too many': [
        () => read('last,0,1,0.5,2', 'last,0,1,0.5,2'),
        'state "last", layer 0: expected 1 rows, found 2',
      ],
      'a state that is missing': [
        () => read(...spread('chosen', 0)),
        'has 1 layers in state "chosen", but 0 in state "last"',
      ],
    }),
  )('rejects %s', (_, [reading, message]) => {
    expect(reading).toThrow(message);
  });
});
