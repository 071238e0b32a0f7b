import { shearEvents } from '../../events/asl-dvs.ts';
import { spanOf } from '../../events/clips.ts';
import { clipOfEvents } from '../../events/frames.ts';
import {
  type Clip,
  type Clips,
  type ReadClip,
  type ReadClipsOptions,
  type ReadOptions,
  SPLITS,
  type Split,
} from '../dataset.ts';
import { readWhole } from '../file-tree.ts';
import { type Sample, type SampleLayout, sampleIn, splitSamples } from './layout.ts';
import { locateSamples } from './locate.ts';

/** One clip per sample, in name order. */
export async function listSampleClips(
  layout: SampleLayout,
  root: string,
  options: ReadOptions,
): Promise<Clips> {
  const names: string[] = [];
  for (const { part, tree } of await locateSamples(layout, root)) {
    options.signal?.throwIfAborted();
    for (const name of await tree.list()) if (sampleIn(layout, part, name) !== null) names.push(name);
  }
  const { train, test } = splitSamples(layout, names);
  return { train: train.map(clipOfSample), test: test.map(clipOfSample) };
}

function clipOfSample({ path, class: label }: Sample): Clip {
  return {
    recording: path,
    user: null,
    light: null,
    trial: null,
    class: label,
    startUs: null,
    endUs: null,
  };
}

/** Reads the named samples; a clip lasts from its first event to just after its last. */
export async function readSampleClips(
  layout: SampleLayout,
  root: string,
  clips: Clips,
  options: ReadClipsOptions,
  visit: (clip: ReadClip) => Promise<void>,
): Promise<void> {
  const wanted = new Map<string, { readonly split: Split; readonly row: number }>();
  for (const split of SPLITS) {
    for (const [row, { recording }] of clips[split].entries()) wanted.set(recording, { split, row });
  }
  const names = new Set(wanted.keys());
  const total = wanted.size;
  let done = 0;
  for (const { part, tree } of await locateSamples(layout, root)) {
    await tree.walk(
      async (file) => {
        const place = wanted.get(file.path);
        if (place === undefined || sampleIn(layout, part, file.path) === null) return;
        const { events } = await layout.decode(await readWhole(file, layout.largestSampleBytes), file.path);
        const placed = options.rowStride === 'height' ? shearEvents(events, layout.sensor) : events;
        await visit({ ...place, ...spanOf(events), events: clipOfEvents(placed) });
        options.progress?.(++done, total);
      },
      options.signal,
      names,
    );
  }
}
