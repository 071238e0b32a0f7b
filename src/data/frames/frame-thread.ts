import { ReproError } from '../../base/errors.ts';
import type { RowStride } from '../../results/thesis/compat.ts';
import { type Clip, type Clips, type ReadClip, SPLITS, type Split } from '../contract/clips.ts';
import type { EventDataset } from '../contract/dataset.ts';
import type { FrameLayout } from '../events/frames.ts';
import { openDataset } from '../open-dataset.ts';
import { defineThreadJob } from '../reading/threads.ts';
import { type FrameRow, FrameRows } from './frame-rows.ts';

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
