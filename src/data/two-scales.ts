import { DATA_SETS } from '../results/thesis/data-sets.ts';
import { thenRun } from './contract/how-to-get.ts';
import { decodeNmnist } from './events/nmnist-events.ts';
import type { SampleLayout } from './samples/layout.ts';
import { datasetOfSamples } from './samples/sample-dataset.ts';

const FACTS = DATA_SETS['two-scales'];
const USUAL_ROOT = 'artifacts/simulate';

const LAYOUT: SampleLayout = {
  ...FACTS,
  usualRoot: USUAL_ROOT,
  parts: [
    { folder: 'Train', archive: 'Train.zip', md5: null },
    { folder: 'Test', archive: 'Test.zip', md5: null },
  ],
  sampleNames: 'Train/<class>/<number>.bin, Test/<class>/<number>.bin',
  largestSampleBytes: 1 << 20,
  trainShare: null,
  parseName(path) {
    const match = /^(Train|Test)\/([0-3])\/(\d+)\.bin$/.exec(path);
    if (match === null) return null;
    const split = match[1] === 'Train' ? 'train' : 'test';
    return { split, class: Number(match[2]), number: Number(match[3]) };
  },
  decode: (bytes, file) => decodeNmnist(bytes, file, FACTS),
  howToGet: (root) =>
    ['Stage `simulate` makes it: it needs no download.', ...thenRun('control', root, USUAL_ROOT)].join('\n'),
};

/**
 * The positive control: a task that a layer with one membrane time constant cannot solve, but one with several can.
 *
 * @see docs/simulation.md; König, Engel and Singer 1996, "Integrator or coincidence detector? The role of the cortical neuron revisited"
 */
export const TWO_SCALES = datasetOfSamples(LAYOUT, {
  summary:
    'Simulated: events 1 or 3 steps apart, and at the same time clusters of events 8 or 18 steps apart.',
  licence: 'MIT, as this project',
  citation:
    'This project. For the two questions: König, Engel and Singer, Integrator or coincidence detector? The role of the cortical neuron revisited, Trends in Neurosciences 19, 1996.',
  homepage: 'docs/simulation.md',
  files: [],
  remarks: ['It exists only as a simulation. Other numbers of clips than these are accepted with a warning.'],
});
