import { expect, it } from 'vitest';
import { type Outcome, readOutcome } from '../../src/explore/outcome.ts';
import {
  compareAmounts,
  describeChange,
  describeOutcome,
  describeStep,
  nameNeuron,
} from '../../src/explore/words.ts';

const CLASSES = ['left wave', 'right wave'];

/** Two neurons vote for each class; one layer of four neurons. */
function outcomeOf(
  votes: readonly (readonly [number, number])[],
  spikesAtStep: number,
  operations: number,
): Outcome {
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
    scores: [
      [1 / 2, 0],
      [1 / 4, 1 / 4],
      [1 / 6, 1 / 2],
    ],
    decision: 1,
    decidedAt: 2,
    spikes: [2, 4, 6],
    operations: [50, 100, 150],
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

it('a change is told against the network as trained', () => {
  expect(describeChange(LEFT, RIGHT, CLASSES)).toBe(
    'Left wave, was right wave; 50 % more spikes, 2.0 times as many synaptic operations.',
  );
  expect(describeChange(RIGHT, RIGHT, CLASSES)).toBe(
    'Still right wave; as many spikes, as many synaptic operations.',
  );
  const earlier = outcomeOf(
    [
      [0, 1],
      [0, 1],
      [0, 2],
    ],
    1,
    40,
  );
  expect(describeChange(earlier, RIGHT, CLASSES)).toBe(
    'Still right wave, from step 1 instead of 3; 50 % fewer spikes, 20 % fewer synaptic operations.',
  );
  expect(describeChange(NONE, RIGHT, CLASSES)).toBe(
    'No votes, was right wave; no spikes, no synaptic operations.',
  );
});

it.each([
  [112, 100, '12 % more spikes'],
  [93, 100, '7 % fewer spikes'],
  [10_001, 10_000, 'under 1 % more spikes'],
  [350, 100, '3.5 times as many spikes'],
  [7, 7, 'as many spikes'],
  [0, 7, 'no spikes'],
  [1, 0, '1 spike'],
])('%d instead of %d are %s', (now, before, words) => {
  expect(compareAmounts(now, before, 'spikes')).toBe(words);
});

it('an outcome is compared with the true class, if it is known', () => {
  expect(describeOutcome(RIGHT, 1, CLASSES)).toBe(
    'right wave, which is correct; it leads from step 3 of 3 to the end',
  );
  expect(describeOutcome(LEFT, 1, CLASSES)).toBe(
    'left wave, but it is right wave; it leads from step 1 of 3 to the end',
  );
  expect(describeOutcome(RIGHT, null, CLASSES)).toBe('right wave; it leads from step 3 of 3 to the end');
  expect(describeOutcome(NONE, 1, CLASSES)).toBe('no class gets a vote');
});

it('a step is told in place of the drawings', () => {
  const layers = [
    { fired: 3, neurons: 128 },
    { fired: 0, neurons: 50 },
  ];
  expect(describeStep(0, 3, { classes: CLASSES, scores: RIGHT.scores[0]!, label: 1 }, layers)).toBe(
    'Step 1 of 3. Votes so far: left wave at 0.50, which is wrong. True class: right wave. Neurons that fire: 2.3 % in layer 1, 0.0 % in layer 2.',
  );
});

it('a neuron has a place in its map; behind a linear layer, it has only a number', () => {
  expect(nameNeuron(0, 77, [2, 8, 8])).toBe('Layer 1, map 2, row 2, column 6');
  expect(nameNeuron(3, 11, [128, 1, 1])).toBe('Layer 4, neuron 12');
});
