import { describe, expect, it } from 'vitest';
import { type ClipOutcome, leadersOf, readOutcome } from '../../src/explore/outcome.ts';
import {
  compareAmounts,
  describeChange,
  describeClipOutcome,
  describeEvents,
  describeMaps,
  describeNeuron,
  describeTau,
  describeTraining,
  describeVotes,
  nameNeuron,
} from '../../src/explore/words.ts';

const CLASSES = ['left wave', 'right wave'];
/** The clip is a right wave; nobody knows. */
const [TRUE, UNKNOWN] = [1, null].map((label) => ({ classes: CLASSES, label }));

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

it('a change is told against the network as trained', () => {
  expect(describeChange(LEFT, RIGHT, TRUE!)).toBe(
    'The answer was “right wave”; now the answer is “left wave” (wrong: the clip is “right wave”), with 50 % more spikes and 100 % more synaptic operations, compared with before the change.',
  );
  expect(describeChange(RIGHT, RIGHT, TRUE!)).toBe(
    'The answer is still “right wave” (right), with as many spikes and as many synaptic operations, compared with before the change.',
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
  expect(describeChange(earlier, RIGHT, UNKNOWN!)).toBe(
    'The answer is still “right wave”, with 50 % fewer spikes and 20 % fewer synaptic operations, compared with before the change.',
  );
  expect(describeChange(NONE, RIGHT, TRUE!)).toBe(
    'The answer was “right wave”; now no class gets a vote, with 100 % fewer spikes and 100 % fewer synaptic operations, compared with before the change.',
  );
});

it.each([
  [112, 100, '12 % more spikes'],
  [93, 100, '7 % fewer spikes'],
  [10_001, 10_000, '0.01 % more spikes'],
  [1_350, 1_000, '35 % more spikes'],
  [7, 7, 'as many spikes'],
  [1_200, 0, '1,200 more spikes'],
])('%d instead of %d are %s', (now, before, words) => {
  expect(compareAmounts(now, before, 'spikes')).toBe(words);
});

it('an outcome is compared with the true class, if it is known', () => {
  expect(describeClipOutcome(RIGHT, TRUE!)).toBe(
    'The answer is “right wave” (right). It leads from step 3 of 3 on.',
  );
  expect(describeClipOutcome(LEFT, TRUE!)).toBe(
    'The answer is “left wave” (wrong: the clip is “right wave”). “left wave” and “right wave” tie at the end; the first counts.',
  );
  expect(describeClipOutcome(RIGHT, UNKNOWN!)).toBe(
    'The answer is “right wave”. It leads from step 3 of 3 on.',
  );
  expect(describeClipOutcome(NONE, TRUE!)).toBe('No class gets a vote.');
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

  it('votes are told with who leads, the model beside, and the true class', () => {
    expect(describeVotes({ classes, scores: [0.1, 0.625, 0], label: 1, beside: [0, 0.2, 0.3] })).toBe(
      'Votes so far: “wave” leads with 0.63. Model beside: “roll” leads with 0.30. True class: “wave”.',
    );
    expect(describeVotes({ classes, scores: [0.1, 0.6, 0.6], label: null, beside: null })).toBe(
      'Votes so far: “wave” and “roll” tie at 0.60. The true class is not known.',
    );
  });

  // τ = 2, threshold 1, hard reset to 0.
  const trace = {
    current: Float32Array.of(1, 2.5, -1),
    charged: Float32Array.of(0.5, 1.504, -0.5),
    potential: Float32Array.of(0.5, 0, -0.5),
    spikes: Uint8Array.of(0, 1, 0),
  };

  it('a step of a neuron is told from the input to the spike', () => {
    const view = { trace, threshold: 1, rest: 0 };
    expect(describeNeuron({ ...view, step: 0 })).toBe(
      '1 spike in the clip. Step 1 of 3: input 1 takes the potential from 0 to 0.5. It stays below the threshold of 1.',
    );
    expect(describeNeuron({ ...view, step: 1 })).toBe(
      '1 spike in the clip. Step 2 of 3: input 2.5 takes the potential from 0.5 to 1.5. It reaches the threshold of 1: a spike, then 0.',
    );
  });

  it('time constants are told by count, range and median, or as one', () => {
    expect(describeTau(Float32Array.of(4, 2, 3), 0)).toBe(
      '3 neurons, τ from 2.00 to 4.00 steps, median 3.00. The selected neuron has 4.00.',
    );
    expect(describeTau(new Float32Array(1024).fill(2), 5)).toBe('All 1,024 neurons have τ = 2.00 steps.');
  });

  it('maps and events are told by what is counted in them', () => {
    expect(describeMaps([2, 10, 10], 'spikes', 5)).toBe(
      '2 maps of 10 × 10 neurons, filled where a neuron spikes: 5 spikes (2.5 %)',
    );
    expect(describeMaps([128, 1, 1], 'tau', 0)).toBe('128 neurons, membrane time constant τ');
    expect(describeEvents(0, 1, 12)).toBe('Events at step 1: 1 pixel brighter, 12 pixels darker');
  });
});

describe('a training in the page', () => {
  const clips = { training: 33, test: 45 };
  const before = { step: 0, loss: null, correct: 40, tau: [2.05, 1.724] };

  it('a training is told by its steps, clips, score, and the layer whose mean τ moved most', () => {
    const points = [before, { step: 20, loss: 0.1, correct: 41, tau: [2.0511, 1.7013] }];
    expect(describeTraining(points, clips)).toBe(
      'After 20 steps on 33 clips: 41 of 45 test clips right, were 40; mean τ moved most in layer 2: 1.701 steps, was 1.724.',
    );
  });

  it('before its first step, a training is told by the score', () => {
    expect(describeTraining([before], clips)).toBe('Before training: 40 of 45 test clips right.');
    expect(describeTraining([], clips)).toBe('');
  });
});
