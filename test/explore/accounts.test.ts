import { expect, test } from 'vitest';
import {
  decisionOf,
  describeEvents,
  describeMaps,
  describeNeuron,
  describeTau,
  describeVotes,
} from '../../src/explore/accounts.ts';

const classes = ['clap', 'wave', 'roll'];

test('the decision is the first class with the highest score', () => {
  expect(decisionOf([0.1, 0.4, 0.4])).toBe(1);
});

test('there is no decision before an output has fired', () => {
  expect(decisionOf([0, 0, 0])).toBeNull();
  expect(describeVotes({ classes, scores: [0, 0, 0], label: 1 })).toBe(
    'Votes so far: no output has fired yet. True class: wave.',
  );
});

test('votes are told with the decision, whether it is right, and the model beside', () => {
  expect(describeVotes({ classes, scores: [0.1, 0.625, 0], label: 1, beside: [0, 0.2, 0.3] })).toBe(
    'Votes so far: wave at 0.63, which is right. Model beside: roll at 0.30, which is wrong. True class: wave.',
  );
  expect(describeVotes({ classes, scores: [0.1, 0.6, 0], label: null })).toBe(
    'Votes so far: wave at 0.60. The true class is not known.',
  );
});

// τ = 2, threshold 1, hard reset to 0.
const trace = {
  current: Float32Array.of(1, 2.5, -1),
  charged: Float32Array.of(0.5, 1.504, -0.5),
  potential: Float32Array.of(0.5, 0, -0.5),
  spikes: Uint8Array.of(0, 1, 0),
};

test('a step of a neuron is told from the input to the spike', () => {
  const view = { trace, threshold: 1, rest: 0 };
  expect(describeNeuron({ ...view, step: 0 })).toBe(
    '1 spike in the clip. Step 1 of 3: input 1 takes the potential from 0 to 0.5. It stays below the threshold of 1.',
  );
  expect(describeNeuron({ ...view, step: 1, beside: { ...trace, spikes: new Uint8Array(3) } })).toBe(
    '1 spike in the clip. Step 2 of 3: input 2.5 takes the potential from 0.5 to 1.5. It reaches the threshold of 1: a spike, then 0. Model beside: 0 spikes in the clip, potential now 1.5.',
  );
});

test('time constants are told by count, range and median, or as one', () => {
  expect(describeTau(Float32Array.of(4, 2, 3), 0)).toBe(
    '3 neurons, τ from 2.00 to 4.00 steps, median 3.00. The selected neuron has 4.00.',
  );
  expect(describeTau(new Float32Array(1024).fill(2), 5)).toBe('All 1,024 neurons have τ = 2.00 steps.');
});

test('maps and events are told by what is counted in them', () => {
  expect(describeMaps([2, 10, 10], 'spikes', 5)).toBe(
    '2 maps of 10 × 10 neurons, filled where a neuron spikes: 5 spikes (2.5 %)',
  );
  expect(describeMaps([128, 1, 1], 'tau', null)).toBe('128 neurons, membrane time constant τ');
  expect(describeEvents(0, 1, 12)).toBe('Events at step 1: 1 pixel brighter, 12 pixels darker');
});
