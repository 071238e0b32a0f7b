import { expect, it } from 'vitest';
import { describeOffer, describeTraining } from '../../src/explore/training-words.ts';

const clips = { training: 33, test: 45 };
const before = { step: 0, loss: null, correct: 40, tau: [2.05, 1.724] };

it('a training is told by its steps, clips, score, and the layer whose mean τ moved most', () => {
  const points = [
    before,
    { step: 1, loss: 0.1, correct: null, tau: [2, 1.724] },
    { step: 20, loss: 0.1, correct: 41, tau: [2.0511, 1.7013] },
  ];
  expect(describeTraining(points, clips)).toBe(
    'After 20 steps on 33 clips: 41 of 45 test clips right, were 40; mean τ moved most in layer 2: 1.701 steps, was 1.724.',
  );
});

it('between two scores, a training is told as of the last one', () => {
  const points = [before, { step: 1, loss: 0.1, correct: null, tau: [3, 3] }];
  expect(describeTraining(points, clips)).toBe('Before training: 40 of 45 test clips right.');
  expect(describeTraining([], clips)).toBe('');
});

it('a training that changed neither score nor τ is told as such', () => {
  const points = [before, { ...before, step: 1, loss: 0.1 }];
  expect(describeTraining(points, clips)).toBe(
    'After 1 step on 33 clips: 40 of 45 test clips right, as before; mean τ of no layer moved.',
  );
});

it('before the first training, both numbers of clips are stated', () => {
  expect(describeOffer(20, 8, clips)).toContain(
    '20 steps, each on 8 of 33 clips that it has learned from. The 45 test clips of this page, which it has not learned from, score it.',
  );
  expect(describeOffer(20, 64, clips)).toContain('each on 33 of 33 clips');
});
