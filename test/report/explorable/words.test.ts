import { describe, expect, it } from 'vitest';
import {
  type ClipOutcome,
  describeVotes,
  leadersOf,
  nameNeuron,
  readOutcome,
} from '../../../src/report/explorable/words.ts';

/** Two neurons vote for each class; one layer of four neurons. */
function outcomeOf(
  votes: readonly (readonly [number, number])[],
  spikesAtStep: number,
  operations: number,
): ClipOutcome {
  const steps = votes.length;
  return readOutcome(
    {
      steps,
      layers: [
        {
          charged: new Float32Array(4 * steps),
          spikes: Uint8Array.from({ length: 4 * steps }, (_, i) => Number(i % 4 < spikesAtStep)),
        },
      ],
      outputs: Float32Array.from(votes.flat(), (count) => count / 2),
      operations: Float64Array.from({ length: 2 * steps }, () => operations / 2),
    },
    2,
  );
}

const RIGHT = outcomeOf(
  [
    [1, 0],
    [0, 1],
    [0, 2],
  ],
  2,
  50,
);
const LEFT = outcomeOf(
  [
    [1, 0],
    [1, 1],
    [1, 2],
  ],
  3,
  100,
);
const NONE = outcomeOf(
  [
    [0, 0],
    [0, 0],
    [0, 0],
  ],
  0,
  0,
);

it('an outcome says which class leads at the end, since when, and counts along', () => {
  expect(RIGHT).toEqual({
    // Votes 1:0, 1:1 and 1:3, of two neurons at 1, 2 and 3 steps.
    soFar: [
      { scores: [1 / 2, 0], spikes: 2, operations: 50 },
      { scores: [1 / 4, 1 / 4], spikes: 4, operations: 100 },
      { scores: [1 / 6, 1 / 2], spikes: 6, operations: 150 },
    ],
    decision: 1,
    decidedAt: 2,
  });
});

it('of equal classes, the first leads; without a vote, none', () => {
  expect(LEFT).toMatchObject({ decision: 0, decidedAt: 0 });
  expect(NONE).toMatchObject({ decision: null, decidedAt: null });
});

it('votes are whole, so that sums of rounded tenths do not decide between equal classes', () => {
  // Ten neurons vote for each class: 3 + 3 + 3 against 1 + 8 + 0. In single precision, 0.3 + 0.3 + 0.3 > 0.1 + 0.8.
  const outputs = Float32Array.of(0.1, 0.3, 0.8, 0.3, 0, 0.3);
  const trace = { steps: 3, layers: [], outputs, operations: new Float64Array(3) };
  expect(readOutcome(trace, 10).decision).toBe(0);
});

it('a neuron has a place in its map; behind a linear layer, it has only a number', () => {
  expect(nameNeuron(0, 77, [2, 8, 8])).toBe('Layer 1, map 2, row 2, column 6');
  expect(nameNeuron(3, 11, [128, 1, 1])).toBe('Layer 4, neuron 12');
});

describe('what drawings show', () => {
  const classes = ['clap', 'wave', 'roll'];

  it('several classes may lead', () => {
    expect(leadersOf([0.1, 0.4, 0.4])).toEqual([1, 2]);
  });

  it('no class leads before an output has fired', () => {
    expect(leadersOf([0, 0, 0])).toEqual([]);
    expect(describeVotes({ classes, scores: [0, 0, 0], label: 1, beside: null })).toBe(
      'Votes so far: no output has fired yet. True class: “wave”.',
    );
  });
});
