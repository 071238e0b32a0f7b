import { describe, expect, it } from 'vitest';
import { compare, failComparison } from '../../../src/exchange/parity/compare.ts';
import { describeOutcomes, formatTable } from '../../../src/exchange/parity/report.ts';
import type { CaseOutcome } from '../../../src/exchange/parity/suite.ts';
import { floats } from './case-folders.ts';

const spikes = compare('spikes', [{ name: 'spikes', expected: floats([2], 0, 1), found: floats([2], 0, 1) }]);
const gradient = compare('grad_x', [
  { name: 'grad_x', expected: floats([1, 2], 0.5, 2), found: floats([1, 2], 0.5, 1.75), terms: 2 ** 32 },
]);
const endless = compare('parameters, step 0', [
  { name: 'w', expected: floats([], 1), found: floats([], Number.NaN), terms: 1 },
]);

const good: CaseOutcome = { name: 'plif', kind: 'neuron', comparisons: [spikes], passed: true };
const bad: CaseOutcome = {
  name: 'longer_name',
  kind: null,
  comparisons: [gradient, endless, failComparison('the case', 'tensor "x" is missing')],
  passed: false,
};
const marks = { pass: (text: string) => text, fail: (text: string) => text };
/** Nothing failed, as nothing was compared. */
const empty: CaseOutcome = {
  name: 'empty',
  kind: 'segments',
  comparisons: [{ ...spikes, values: 0, worst: null }],
  passed: true,
};

describe('the table', () => {
  it('has aligned columns, and gives the reason below a failure', () => {
    expect(formatTable([good, bad], marks).split('\n')).toEqual([
      'case         compared            values  abs. error  rel. error  of tolerance  result',
      'plif         spikes                   2           0           0         exact  pass',
      'longer_name  grad_x                   2      2.5e-1      1.3e-1             8  FAIL',
      '    worst: grad_x[0, 1]: the folder has 2, this program computes 1.75, 3.1e-2 is allowed',
      'longer_name  parameters, step 0       1    infinite    infinite      Infinity  FAIL',
      '    worst: w[]: the folder has 1, this program computes NaN, 2.4e-7 is allowed',
      'longer_name  the case                                                          FAIL',
      '    tensor "x" is missing',
      '',
    ]);
  });
});

describe('the document', () => {
  it('has what the table has, plus the worst elements', () => {
    const document = JSON.parse(JSON.stringify(describeOutcomes([good, bad])));
    expect(document).toMatchObject({
      passed: false,
      totals: { cases: 2, failedCases: 1, comparisons: 4, failedComparisons: 3, values: 5 },
    });
    expect(document.cases.map((one: { name: string }) => one.name)).toEqual(['plif', 'longer_name']);
    expect(document.cases[1]).toMatchObject({
      kind: null,
      passed: false,
      comparisons: [
        {
          what: 'grad_x',
          values: 2,
          largestAbsoluteError: 0.25,
          largestRelativeError: 0.125,
          ofTolerance: 8,
          passed: false,
          worst: { tensor: 'grad_x', index: [0, 1], expected: 2, found: 1.75, tolerance: 2 ** -5 },
          reason: null,
        },
        { largestAbsoluteError: 'Infinity', worst: { found: 'NaN' } },
        { ofTolerance: null, worst: null, reason: 'tensor "x" is missing' },
      ],
    });
  });

  it('reports success only if something was compared', () => {
    expect(describeOutcomes([good])).toMatchObject({ passed: true });
    expect(describeOutcomes([])).toMatchObject({ passed: false });
    expect(describeOutcomes([empty])).toMatchObject({ passed: false, totals: { failedCases: 0, values: 0 } });
  });
});
