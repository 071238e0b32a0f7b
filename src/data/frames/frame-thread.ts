import { ReproError } from '../../base/errors.ts';
import type { RowStride } from '../../results/thesis/compat.ts';
import {
  type Clip,
  type Clips,
  type EventDataset,
  type ReadClip,
  SPLITS,
  type Split,
} from '../contract/dataset.ts';
import { type Counts, type FrameLayout, frameSize } from '../events/frames.ts';
import { openDataset } from '../open-dataset.ts';
import { defineThreadJob } from '../reading/threads.ts';

export interface FrameSetup {
  readonly facts: EventDataset['facts'];
  readonly root: string;
  readonly simulated: boolean;
  readonly invalidEvents: 'keep' | 'drop';
  readonly rowStride?: RowStride | undefined;
  readonly layout: FrameLayout;
  readonly withDurations: boolean;
}

/** Some of the recordings: their clips, and the clips' rows. */
interface FrameTask {
  readonly clips: Clips;
  readonly rows: Readonly<Record<Split, readonly number[]>>;
}

type FrameReply =
  /** `recordings`: how many more are done since the last reply. */
  | { readonly kind: 'row'; readonly row: FrameRow; readonly recordings: number }
  | { readonly kind: 'end'; readonly recordings: number };

export const FRAME_JOB = defineThreadJob<FrameSetup, FrameTask, FrameReply>('frames', (setup, port) => {
  const dataset = openDataset(setup.facts);
  const frames = new FrameRows(setup.layout, setup.withDurations);
  const { root, simulated, invalidEvents, rowStride } = setup;
  let recordings = 0;
  const takeRecordings = () => {
    const taken = recordings;
    recordings = 0;
    return taken;
  };
  return async ({ clips, rows }) => {
    const visit = async (clip: ReadClip) => {
      const row = rows[clip.split][clip.row];
      if (row === undefined) throw new ReproError('data-changed', 'a clip was read that is not there.');
      const made = frames.make({ ...clip, row });
      const moved = [made.counts.buffer];
      await port.send({ kind: 'row', row: made, recordings: takeRecordings() }, moved);
    };
    const progress = () => {
      recordings += 1;
    };
    await dataset.readClips(root, clips, { simulated, invalidEvents, rowStride, progress }, visit);
    await port.send({ kind: 'end', recordings: takeRecordings() });
  };
});

/**
 * Divides recordings into tasks: large ones first, so that little time is spent on opening archives and listing folders, then smaller
 * and smaller ones, so that all threads finish at about the same time.
 */
export function divideClips(clips: Clips, threads: number): FrameTask[] {
  const recordings = [...new Set(SPLITS.flatMap((split) => clips[split].map((clip) => clip.recording)))];
  // Thousands of small files are alike: there, opening costs more than unequal ends.
  const least = recordings.length > 1000 ? Math.ceil(recordings.length / (8 * threads)) : 1;
  const taskOf = new Map<string, number>();
  let tasks = 0;
  for (let done = 0; done < recordings.length; tasks++) {
    const share = Math.max(least, Math.ceil((recordings.length - done) / (2 * threads)));
    for (const name of recordings.slice(done, done + share)) taskOf.set(name, tasks);
    done += share;
  }
  const divided = Array.from({ length: tasks }, () => ({
    clips: { train: [] as Clip[], test: [] as Clip[] },
    rows: { train: [] as number[], test: [] as number[] },
  }));
  for (const split of SPLITS) {
    for (const [row, clip] of clips[split].entries()) {
      const task = divided[taskOf.get(clip.recording)!]!;
      task.clips[split].push(clip);
      task.rows[split].push(row);
    }
  }
  return divided;
}

/** One clip's frames: a row of the frame cache. */
export interface FrameRow extends Omit<ReadClip, 'events'> {
  /** Events in the frames, and those left out by `splitBy: duration`. */
  readonly events: number;
  readonly laterEvents: number;
  /** [T, 2, H, W], in a type that holds them. */
  readonly counts: Counts;
  /** [T], µs; null unless wanted. */
  readonly durationsUs: readonly number[] | null;
}

const WIDTHS = [Uint8Array, Uint16Array, Uint32Array] as const;

/** Counts the events of clips in frames, in the narrowest type that has been wide enough so far. */
export class FrameRows {
  readonly #layout: FrameLayout;
  readonly #withDurations: boolean;
  readonly #length: number;
  /** Index in `WIDTHS`. Once one clip needs it, the whole cache does, so narrower ones are not tried again. */
  #width = 0;

  constructor(layout: FrameLayout, withDurations: boolean) {
    const { height, width } = frameSize(layout);
    this.#layout = layout;
    this.#withDurations = withDurations;
    this.#length = layout.steps * 2 * height * width;
  }

  make({ split, row, startUs, endUs, events }: ReadClip): FrameRow {
    const counts = this.#integrate(events);
    const inFrames = this.#layout.splitBy === 'duration' ? sum(counts) : events.count;
    return {
      split,
      row,
      startUs,
      endUs,
      events: inFrames,
      laterEvents: events.count - inFrames,
      counts,
      durationsUs: this.#withDurations ? [...events.durationsUs(this.#layout)] : null,
    };
  }

  #integrate(events: ReadClip['events']): Counts {
    for (;;) {
      const Type = WIDTHS[this.#width]!;
      const counts = new Type(this.#length);
      const largest = events.integrate(this.#layout, counts);
      if (largest < 2 ** (8 * Type.BYTES_PER_ELEMENT) || this.#width === WIDTHS.length - 1) return counts;
      this.#width += 1;
    }
  }
}

function sum(counts: Counts): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
