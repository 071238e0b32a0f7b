import {
  type Clip,
  type Clips,
  type EventDataset,
  type ReadClip,
  type ReadClipsOptions,
  type ReadOptions,
  SPLITS,
  type Split,
} from '../contract/dataset.ts';
import { spanOf } from '../events/clips.ts';
import { clipOfEvents, shearEvents } from '../events/frames.ts';
import { readWhole } from '../reading/file-tree.ts';
import { locateSamples, type Sample, type SampleLayout, sampleIn, splitSamples } from './layout.ts';
import { knowLayout, verifySamples } from './verify.ts';

type SampleFacts = Pick<EventDataset, 'summary' | 'licence' | 'citation' | 'homepage' | 'files' | 'remarks'>;

export function datasetOfSamples(layout: SampleLayout, facts: SampleFacts): EventDataset {
  knowLayout(layout);
  return {
    kind: 'events',
    ...layout,
    ...facts,
    recordingsNoun: 'samples',
    isSimulated: async () => layout.simulated === true,
    verify: (root, options) => verifySamples(layout, root, options),
    listClips: (root, options) => listSampleClips(layout, root, options),
    readClips: (root, clips, options, visit) => readSampleClips(layout, root, clips, options, visit),
  };
}

/** One clip per sample, in name order. */
async function listSampleClips(layout: SampleLayout, root: string, options: ReadOptions): Promise<Clips> {
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
async function readSampleClips(
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
