import type { TimelineBar, TimelineRun } from './timeline.ts';

/** A drawing higher than this is read by nobody: two screens. */
const HEIGHT_AT_MOST = 1800;

/** What is drawn of some runs, and how many bars there are in all. */
export interface ChosenBars {
  readonly runs: readonly TimelineRun[];
  readonly shown: number;
  readonly total: number;
}

/**
 * Leaves out bars until the drawing is not too high: first come the longest of each stage, then the longest of the others. Runs of which
 * nothing is left are left out, too. At least one bar is drawn.
 *
 * @param heights in px: of a bar, and of what a run takes besides its bars
 */
export function chooseBars(
  runs: readonly TimelineRun[],
  heights: { readonly bar: number; readonly run: number },
): ChosenBars {
  const all = runs.flatMap((run) => run.bars.map((bar) => ({ run, bar })));
  const seen = new Set<string>();
  const ranked = all
    .sort((a, b) => b.bar.seconds - a.bar.seconds || (a.bar.id < b.bar.id ? -1 : 1))
    .map((one) => {
      const isFirst = !seen.has(one.bar.stage);
      seen.add(one.bar.stage);
      return { ...one, isFirst };
    });
  const chosen = new Set<TimelineBar>();
  const drawn = new Set<TimelineRun>();
  let left = HEIGHT_AT_MOST;
  for (const { run, bar } of [
    ...ranked.filter(({ isFirst }) => isFirst),
    ...ranked.filter(({ isFirst }) => !isFirst),
  ]) {
    left -= heights.bar + (drawn.has(run) ? 0 : heights.run);
    if (left < 0 && chosen.size > 0) break;
    chosen.add(bar);
    drawn.add(run);
  }
  return {
    runs: runs.flatMap((run) => {
      const bars = run.bars.filter((bar) => chosen.has(bar));
      return bars.length === 0 ? [] : [{ ...run, bars }];
    }),
    shown: chosen.size,
    total: all.length,
  };
}
