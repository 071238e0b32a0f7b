import { describe, expect, it } from 'vitest';
import type { ReferenceCurves, Results } from '../../../src/report/data/results.ts';
import { describeReference } from '../../../src/report/sections/reference.ts';
import { makeModelResult, makeResults, plain } from '../result-values.ts';

const curves: ReferenceCurves = {
  epochs: [1, 3],
  accuracy: { train: [], validation: [], test: [] },
  trainLoss: [],
  tau: [[]],
  placed: true,
  truncated: [],
};

function say(overrides: Partial<Results>): string[] {
  return describeReference(makeResults(overrides)).map((block) => {
    if (block.kind !== 'paragraph') throw new Error(block.kind);
    return plain(block.text);
  });
}

const of = (changes: Partial<ReferenceCurves>) => ({
  reference: new Map([['baseline', { ...curves, ...changes }]]),
});

describe('the report’s text on the authors’ logs', () => {
  it('is empty if the profile names none', () => {
    expect(say({ reference: null })).toEqual([]);
  });

  it('lists the models and epochs that they cover', () => {
    const models = [makeModelResult(), makeModelResult({ id: 'b', title: 'B' })];
    const [first, ...rest] = say({ ...of({}), models });
    expect(first).toContain('one per model: Baseline epochs 1 to 3; none for B.');
    expect(rest).toEqual([]);
    expect(say({ reference: new Map() })).toEqual([
      'The authors’ logs are left out. The folder named in the profile has no log of these models.',
    ]);
  });

  it('names the epochs of the training loss if they are others', () => {
    const trainLoss = [1, 8].map((epoch) => ({ epoch, value: 0.1 }));
    const [first] = say(of({ trainLoss }));
    expect(first).toContain('one per model: Baseline epochs 1 to 3 with training losses of 1 to 8.');
    expect(say(of({ epochs: [7, 9], trainLoss })).slice(1)).toEqual([
      'The logs of Baseline begin after epoch 3, where the figures end; only their training loss is drawn.',
    ]);
  });

  it('explains why they are left out for data that cannot be compared', () => {
    expect(say({ ...of({}), simulated: true })).toEqual([
      expect.stringContaining('curves from simulated data'),
    ]);
    expect(say({ ...of({}), dataset: 'nmnist' })).toEqual([expect.stringContaining('curves from N-MNIST')]);
  });

  it.each([
    [{ epochs: [1, 9] }, 'The logs of Baseline continue after epoch 6, where the figures end.'],
    [
      { epochs: [7, 9] },
      'The logs of Baseline begin after epoch 3, where the figures end, so they are not drawn.',
    ],
    [
      { placed: false },
      'The logs of Baseline do not show which training batch belongs to which epoch, so their training batches and time constants are not drawn.',
    ],
    [
      { tau: [[], []] },
      'The logs of Baseline come from networks with a different number of spiking layers, so their time constants are not drawn.',
    ],
    [
      { truncated: ['baseline/a', 'baseline/b'] },
      '2 event files of the logs end in the middle of a record; the complete records are used: baseline/a, baseline/b.',
    ],
  ] satisfies [Partial<ReferenceCurves>, string][])(
    'mentions what cannot be drawn: %j',
    (changes, sentence) => {
      expect(say(of(changes)).slice(1)).toEqual([sentence]);
    },
  );
});
