import { RandomStream } from '../datasets/simulated/random-stream.ts';
import type { Frames } from './messages.ts';
import type { FrameOrder } from './view-state.ts';

/**
 * The frames of a clip in another order; `frozen` repeats one of them at every step.
 *
 * @param frames [T, ...]
 * @param frozenAt the step that `frozen` repeats, from 0
 */
export function reorderSteps(frames: Frames, steps: number, order: FrameOrder, frozenAt: number): Frames {
  if (order === 'as-is') return frames;
  const size = frames.length / steps;
  const ordered = frames.slice();
  sourceSteps(steps, order, frozenAt).forEach((from, step) => {
    ordered.set(frames.subarray(from * size, (from + 1) * size), step * size);
  });
  return ordered;
}

/** Which frame the network sees at each step. `shuffled` depends only on T, so that everyone sees the same. */
export function sourceSteps(steps: number, order: FrameOrder, frozenAt: number): number[] {
  const natural = Array.from({ length: steps }, (_, step) => step);
  switch (order) {
    case 'as-is':
      return natural;
    case 'reversed':
      return natural.reverse();
    case 'shuffled': {
      // Fisher and Yates.
      const random = new RandomStream(['explore', 'shuffled']);
      for (let last = steps - 1; last > 0; last--) {
        const other = random.integer(last + 1);
        [natural[last], natural[other]] = [natural[other]!, natural[last]!];
      }
      return natural;
    }
    case 'frozen':
      return natural.fill(frozenAt);
  }
}
