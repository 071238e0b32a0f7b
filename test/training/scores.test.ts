import { describe, expect, it } from 'vitest';
import { confusionMatrix, predictClasses, scoreClips } from '../../src/training/scores.ts';

const rates = Float32Array.of(0.5, 0.5, 0, 0, 0.25, 0.75, 1, 0, 0);
const labels = Int32Array.of(0, 1, 2);

describe('scores', () => {
  it('predict the class with the highest rate, the first of ties', () => {
    expect([...predictClasses(rates, 3)]).toEqual([0, 2, 0]);
  });

  it('count correct clips and average the squared errors over clips and classes', () => {
    // (0.25 + 0.25) + (0.5625 + 0.5625) + (1 + 1), over 9
    expect(scoreClips(rates, labels, 3)).toEqual({ clips: 3, correct: 1, accuracy: 1 / 3, loss: 3.625 / 9 });
  });

  it('make a confusion matrix with true classes down and predicted ones across', () => {
    expect(confusionMatrix(predictClasses(rates, 3), labels, 3)).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [1, 0, 0],
    ]);
  });
});
