import type { Counts } from '../events/frames.ts';
import { SPLITS, type Split } from './dataset.ts';

/** Events that made a pixel darker (channel 0) and brighter (channel 1). */
export interface PolarityCounts {
  readonly off: number;
  readonly on: number;
}

/** Adds up the events in the frames of each split by polarity: a figure that shows at once if the two were ever swapped. */
export class PolarityTally {
  readonly #counts: Record<Split, PolarityCounts> = { train: { off: 0, on: 0 }, test: { off: 0, on: 0 } };

  /** @param counts of one clip, [T, 2, H, W] */
  add(split: Split, counts: Counts, steps: number): void {
    const pixels = counts.length / steps / 2;
    let [off, on] = [0, 0];
    for (let start = 0; start < counts.length; start += 2 * pixels) {
      for (let i = start; i < start + pixels; i++) off += counts[i]!;
      for (let i = start + pixels; i < start + 2 * pixels; i++) on += counts[i]!;
    }
    const before = this.#counts[split];
    this.#counts[split] = { off: before.off + off, on: before.on + on };
  }

  /** As metrics of a stage: `events.off.train`, `events.on.train`, … */
  metrics(): Record<string, number> {
    return Object.fromEntries(
      SPLITS.flatMap((split) =>
        (['off', 'on'] as const).map((polarity) => [
          `events.${polarity}.${split}`,
          this.#counts[split][polarity],
        ]),
      ),
    );
  }
}
