import type { EventDataset } from '../dataset.ts';
import { knowLayout } from './check.ts';
import { listSampleClips, readSampleClips } from './clips.ts';
import type { SampleLayout } from './layout.ts';
import { verifySamples } from './verify.ts';

/** What a data set of samples needs besides its layout. */
export type SampleFacts = Pick<
  EventDataset,
  'summary' | 'licence' | 'citation' | 'homepage' | 'files' | 'remarks'
>;

/** The data set of a layout. */
export function datasetOfSamples(layout: SampleLayout, facts: SampleFacts): EventDataset {
  knowLayout(layout);
  const { name, title, profile, classes, published, usualRoot, sensor } = layout;
  return {
    kind: 'events',
    ...facts,
    name,
    title,
    profile,
    classes,
    published,
    usualRoot,
    sensor,
    recordingsNoun: 'samples',
    howToGet: layout.howToGet,
    verify: (root, options) => verifySamples(layout, root, options),
    listClips: (root, options) => listSampleClips(layout, root, options),
    readClips: (root, clips, options, visit) => readSampleClips(layout, root, clips, options, visit),
  };
}
