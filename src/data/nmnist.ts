import { DATA_SETS } from '../results/thesis/data-sets.ts';
import type { PublishedFile } from './contract/dataset.ts';
import { showPath, thenRun } from './contract/how-to-get.ts';
import { decodeNmnist } from './events/nmnist-events.ts';
import type { SampleLayout, SamplePart } from './samples/layout.ts';
import { datasetOfSamples } from './samples/sample-dataset.ts';

const HOMEPAGE = 'https://www.garrickorchard.com/datasets/n-mnist';
const USUAL_ROOT = 'data/N-MNIST';

const PARTS = [
  { folder: 'Train', archive: 'Train.zip', md5: '20959b8e626244a1b502305a9e6e2031' },
  { folder: 'Test', archive: 'Test.zip', md5: '69ca8762b2fe404d9b9bad1103e97832' },
] as const satisfies readonly SamplePart[];

export const NMNIST_LAYOUT: SampleLayout = {
  ...DATA_SETS.nmnist,
  usualRoot: USUAL_ROOT,
  parts: PARTS,
  sampleNames: 'Train/<digit>/<number>.bin, Test/<digit>/<number>.bin',
  // 5 bytes per event and a few thousand events.
  largestSampleBytes: 16 << 20,
  trainShare: null,
  parseName(path) {
    const match = /^(Train|Test)\/(\d)\/(\d+)\.bin$/.exec(path);
    if (match === null) return null;
    const split = match[1] === 'Train' ? 'train' : 'test';
    return { split, class: Number(match[2]), number: Number(match[3]) };
  },
  decode: decodeNmnist,
  howToGet: (root) =>
    [
      'N-MNIST is free under CC BY-SA 4.0. Download it by hand:',
      `  1. Open ${HOMEPAGE} and follow its link to the data.`,
      `  2. Download ${PARTS[0].archive} (md5 ${PARTS[0].md5})`,
      `     and ${PARTS[1].archive} (md5 ${PARTS[1].md5}).`,
      `  3. Put both zips into ${showPath(root)}, or unpack them there to Train/ and Test/. Part of the samples is enough:`,
      '     Train/<digit>/<number>.bin and Test/<digit>/<number>.bin. For another folder: --set dataset.root=DIR, or `./repro data … --root DIR`.',
      ...thenRun('nmnist', root, USUAL_ROOT).map((line, i) => (i === 0 ? `  4. ${line}` : `  ${line}`)),
    ].join('\n'),
};

/**
 * MNIST's digits, shown on a screen to an event camera that moved in three saccades.
 *
 * @see Orchard et al. 2015, "Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades"
 */
export const NMNIST = datasetOfSamples(NMNIST_LAYOUT, {
  summary: "MNIST's digits on a screen, seen by an ATIS event camera that moved in three saccades.",
  licence: 'CC BY-SA 4.0',
  citation:
    'Orchard et al., Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades, Frontiers in Neuroscience 9, 2015.',
  homepage: HOMEPAGE,
  files: PARTS.map(
    ({ archive, md5 }): PublishedFile => ({
      name: archive,
      checksum: { kind: 'md5', hex: md5 },
      sizeBytes: null,
      urls: [],
    }),
  ),
  remarks: ['A sample without events is a blank clip and a warning.'],
});
