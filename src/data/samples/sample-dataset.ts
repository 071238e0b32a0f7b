import { framesFrom, type SampleFacts } from '../../results/dataset-facts.ts';
import { type Clip, type Clips, type ReadClip, SPLITS, type Split } from '../contract/clips.ts';
import type { EventDataset, ReadClipsOptions, ReadOptions } from '../contract/dataset.ts';
import { spanOf } from '../events/clips.ts';
import { clipOfEvents, shearEvents } from '../events/frames.ts';
import { readWhole } from '../reading/file-tree.ts';
import {
  decodeSample,
  isTar,
  LARGEST_SAMPLE_BYTES,
  locateSamples,
  readTestList,
  type Sample,
  type SampleLayout,
  sampleIn,
  sampleLayout,
  splitSamples,
} from './layout.ts';
import { verifySamples } from './verify.ts';

export function datasetOfSamples(facts: SampleFacts): EventDataset {
  const layout = sampleLayout(facts);
  return {
    kind: 'events',
    facts,
    recordingsNoun: 'samples',
    isSimulated: async () => facts.simulated === true,
    verify: (root, options) => verifySamples(layout, root, options),
    listClips: (root, options) => listSampleClips(layout, root, options),
    readsWhole: async (root) => (await locateSamples(layout, root)).some(isTar),
    readClips: (root, clips, options, visit) => readSampleClips(layout, root, clips, options, visit),
  };
}

/** One clip per sample, in name order. */
async function listSampleClips(layout: SampleLayout, root: string, options: ReadOptions): Promise<Clips> {
  const names: string[] = [];
  const places = await locateSamples(layout, root);
  for (const { part, tree } of places) {
    options.signal?.throwIfAborted();
    for (const name of await tree.list()) if (sampleIn(layout, part, name) !== null) names.push(name);
  }
  const { train, test } = splitSamples(layout, names, await readTestList(layout, root, places));
  return { train: train.map(clipOfSample), test: test.map(clipOfSample) };
}

function clipOfSample({ path, class: label, user }: Sample): Clip {
  return {
    recording: path,
    user,
    light: null,
    trial: null,
    class: label,
    startUs: null,
    endUs: null,
  };
}

/** Reads the named samples; a clip lasts from its first event, or from 0, to just after its last. */
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
        const name = sampleIn(layout, part, file.path);
        if (place === undefined || name === null) return;
        const bytes = await readWhole(file, LARGEST_SAMPLE_BYTES);
        const { events } = await decodeSample(layout, name, bytes, file.path);
        const placed = options.rowStride === 'height' ? shearEvents(events, layout.facts.sensor) : events;
        const start = framesFrom(layout.facts) === 'file' ? { startUs: 0 } : {};
        await visit({ ...place, ...spanOf(events), ...start, events: clipOfEvents(placed) });
        options.progress?.(++done, total);
      },
      options.signal,
      names,
    );
  }
}
