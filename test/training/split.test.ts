import { describe, expect, it } from 'vitest';
import { splitClips } from '../../src/training/split.ts';

/** Labels of so many DVS128 Gesture recordings: one clip of each class, two of class 7. */
function gestureLabels(recordings: number): Int32Array {
  const one = [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10];
  return Int32Array.from(Array.from({ length: recordings }, () => one).flat());
}

describe('splitClips', () => {
  it('gives the 900 and 156 clips of the paper for its 88 recordings', () => {
    const { train, validation } = splitClips(gestureLabels(88), 11, 0.15);
    expect([train.length, validation.length]).toEqual([900, 156]);
  });

  it('gives 1007 and 169 clips for all 98 recordings', () => {
    const { train, validation } = splitClips(gestureLabels(98), 11, 0.15);
    expect([train.length, validation.length]).toEqual([1007, 169]); // 10 x 84 + 167
  });

  it('holds back the last clips of each class', () => {
    const labels = Int32Array.of(1, 0, 1, 0, 1, 0, 1, 0);
    const { train, validation } = splitClips(labels, 2, 0.25);
    expect([...train]).toEqual([1, 3, 5, 0, 2, 4]);
    expect([...validation]).toEqual([7, 6]);
  });

  it('holds nothing back with a share of 0', () => {
    const { train, validation } = splitClips(Int32Array.of(1, 0, 1), 2, 0);
    expect([[...train], [...validation]]).toEqual([[1, 0, 2], []]);
  });

  it('rejects a split that leaves no validation clips', () => {
    expect(() => splitClips(Int32Array.of(0, 1, 2), 3, 0.15)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('3 remain for training and 0 for validation'),
        // What leaves so few is a limit, more often than a lack of recordings.
        fix: expect.stringContaining(
          'Choose another `train.validationShare`; or use more recordings: `frames.limit.train`',
        ),
      }),
    );
  });

  it('names the smallest share that holds a clip back', () => {
    const labels = Int32Array.of(0, 0, 0, 1);
    expect(() => splitClips(labels, 2, 0.3)).toThrow(
      expect.objectContaining({
        fix: expect.stringContaining(
          'the largest class, which has 3 (`train.validationShare: 0.334`), or none (0)',
        ),
      }),
    );
    expect([...splitClips(labels, 2, 0.334).validation]).toEqual([2]);
  });
});
