import { describe, expect, it } from 'vitest';
import { readTaus } from '../../../src/report/inputs/taus.ts';

const HEAD = 'state,layer,count,quantile,tau';
const read = (...rows: string[]) => readTaus('tau.csv', `${[HEAD, ...rows].join('\n')}\n`, 'Mend it.');

describe('readTaus', () => {
  it('reads the quantiles of each layer in both states', () => {
    expect(
      read('chosen,0,3,0,1.5', 'chosen,0,3,0.5,2', 'chosen,0,3,1,3', 'chosen,1,1,0.5,2.5', 'last,0,1,0.5,2'),
    ).toEqual({
      chosen: [
        { count: 3, taus: [1.5, 2, 3] },
        { count: 1, taus: [2.5] },
      ],
      last: [{ count: 1, taus: [2] }],
    });
  });

  it.each([
    ['a missing column', () => readTaus('tau.csv', 'state,layer\n', 'Mend it.'), 'column "count" is missing'],
    [
      'a cell that is no number',
      () => read('last,0,1,half,2'),
      'line 2, column "quantile": expected a number, found "half"',
    ],
    [
      'a cut-off row',
      () => read('last,0,1,0.5,2', 'last,1'),
      'line 3, column "count": expected a number, found ""',
    ],
    [
      'an unknown state',
      () => read('first,0,1,0.5,2'),
      'line 2, column "state": expected "chosen" or "last", found "first"',
    ],
    [
      'a missing layer',
      () => read('last,0,1,0.5,2', 'last,2,1,0.5,2'),
      'line 3, column "layer": 2 follows 0',
    ],
    [
      'quantiles out of order',
      () => read('last,0,2,1,2', 'last,0,2,0,1'),
      'line 3, column "quantile": 0 follows 1',
    ],
  ])('rejects %s', (_, reading, message) => {
    expect(reading).toThrow(message);
  });
});
