import type { Events } from '../../events/events.ts';
import { decodeNmnist } from '../../events/nmnist.ts';
import { type Clip, type Clips, type ReadClip, type ReadOptions, SPLITS, type Split } from '../dataset.ts';
import { readWhole } from '../file-tree.ts';
import { LARGEST_SAMPLE_BYTES, parseSampleName } from './facts.ts';
import { locateNmnist } from './locate.ts';

/** Every sample is one clip; its start and end are known once it is read. */
export async function listNmnistClips(root: string, options: ReadOptions): Promise<Clips> {
  const places = await locateNmnist(root);
  const clips: Record<Split, Clip[]> = { train: [], test: [] };
  for (const split of SPLITS) {
    options.signal?.throwIfAborted();
    for (const recording of await places[split].tree.list()) {
      const sample = parseSampleName(recording);
      if (sample?.split !== split) continue;
      clips[split].push({
        recording,
        user: null,
        light: null,
        trial: null,
        class: sample.digit,
        startUs: null,
        endUs: null,
      });
    }
  }
  return clips;
}

/** Reads the named samples; a clip lasts from its first event to just after its last. */
export async function readNmnistClips(
  root: string,
  clips: Clips,
  options: ReadOptions,
  visit: (clip: ReadClip) => Promise<void>,
): Promise<void> {
  const places = await locateNmnist(root);
  const total = clips.train.length + clips.test.length;
  let done = 0;
  for (const split of SPLITS) {
    const rows = new Map(clips[split].map(({ recording }, row) => [recording, row]));
    await places[split].tree.walk(async (file) => {
      const row = rows.get(file.path);
      if (row === undefined) return;
      const { events } = decodeNmnist(await readWhole(file, LARGEST_SAMPLE_BYTES), file.path);
      await visit({ split, row, ...spanOf(events), events });
      options.progress?.(++done, total);
    }, options.signal);
  }
}

function spanOf({ tUs }: Events): { readonly startUs: number; readonly endUs: number } {
  if (tUs.length === 0) return { startUs: 0, endUs: 0 };
  const first = tUs.reduce((a, b) => Math.min(a, b));
  const last = tUs.reduce((a, b) => Math.max(a, b));
  return { startUs: first, endUs: last + 1 };
}
