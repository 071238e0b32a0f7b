import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/network/networks.ts';
import {
  confusionMatrix,
  countCorrectByStep,
  predictClasses,
  scoreClips,
  scoringOf,
} from '../../src/training/scores.ts';
import { smallNetwork } from './small-task.ts';

/** Of one step each, so that outputs are rates. */
const rates = Float32Array.of(0.5, 0.5, 0, 0, 0.2, 0.8, 1, 0, 0);
const forward = { rates, outputs: rates };
const labels = Int32Array.of(0, 1, 2);
const scoring = { classes: 3, votes: 10, loss: 'rate', ties: 'first' } as const;

describe('scores', () => {
  it('predict the class with the highest rate, the first of ties', () => {
    expect([...predictClasses(forward, scoring)]).toEqual([0, 2, 0]);
  });

  it('see a tie whatever rounding an engine does', () => {
    const noisy = rates.map((rate, i) => rate + i * 1e-6);
    expect([...predictClasses({ rates: noisy, outputs: noisy }, scoring)]).toEqual([0, 2, 0]);
  });

  it('break ties by rounding as the original does, if asked to', () => {
    // Seven votes each in two steps. In single precision, 0.2 + 0.5 is 0.7, and 0.1 + 0.6 is the next number above it.
    const tied = { outputs: Float32Array.of(0.2, 0.1, 0.5, 0.6), rates: Float32Array.of(0.35, 0.35) };
    const predict = (ties: 'first' | 'rounding') => predictClasses(tied, { ...scoring, classes: 2, ties })[0];
    expect([predict('first'), predict('rounding')]).toEqual([0, 1]);
  });

  it('count correct clips and average the squared errors over clips and classes', () => {
    // (0.25 + 0.25) + (0.64 + 0.64) + (1 + 1), over 9
    const score = scoreClips(forward, predictClasses(forward, scoring), labels, scoring);
    expect(score).toMatchObject({ clips: 3, correct: 1, accuracy: 1 / 3 });
    expect(score.loss).toBeCloseTo(3.78 / 9, 7);
  });

  it('average the squared errors of each step with `loss: step`', () => {
    // One clip of class 0 and two steps: 1, 0 and 0, 0.5 are (0 + 0) and (1 + 0.25), over 4. Its rates alone are (0.25 + 0.0625) / 2.
    const clip = { rates: Float32Array.of(0.5, 0.25), outputs: Float32Array.of(1, 0, 0, 0.5) };
    const scoreOf = (loss: 'rate' | 'step') =>
      scoreClips(clip, Int32Array.of(0), Int32Array.of(0), { ...scoring, classes: 2, loss }).loss;
    expect(scoreOf('step')).toBe(1.25 / 4);
    expect(scoreOf('rate')).toBe(0.3125 / 2);
  });

  it('count the clips that are right after each step, with the same rules for ties', () => {
    // Of two clips of class 1, votes in tenths: the first is tied after step 1, behind after step 2, and ahead after step 3.
    const outputs = Float32Array.of(...[0.2, 0.2, 0.3, 0.1, 0, 0.4], ...[0, 0.1, 0.5, 0.6, 0.2, 0]);
    const clips = { outputs, rates: new Float32Array(4) };
    const count = (ties: 'first' | 'rounding') =>
      countCorrectByStep(clips, Int32Array.of(1, 1), { ...scoring, classes: 2, ties });
    // The second is ahead after steps 1 and 2; after step 3 both classes have 7 votes: a tie, which in single precision is 0.7 to 0.70000005.
    expect(count('first')).toEqual([1, 1, 1]);
    expect(count('rounding')).toEqual([1, 1, 2]);
  });

  it('take classes and votes from the network', () => {
    const { classes, votes } = smallNetwork;
    expect(scoringOf(buildNetwork(smallNetwork))).toEqual({ ...scoring, classes, votes });
  });

  it('make a confusion matrix with true classes down and predicted ones across', () => {
    expect(confusionMatrix(predictClasses(forward, scoring), labels, 3)).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [1, 0, 0],
    ]);
  });
});
