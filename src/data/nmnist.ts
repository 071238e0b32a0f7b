import { DATA_SETS } from '../results/thesis/data-sets.ts';
import { publishedFile } from './contract/dataset.ts';
import { howToFetch } from './contract/how-to-get.ts';
import { decodeNmnist } from './events/nmnist-events.ts';
import type { SampleLayout, SamplePart } from './samples/layout.ts';
import { datasetOfSamples } from './samples/sample-dataset.ts';

/** Each part is a zip at Mendeley Data (DOI 10.17632/468j46mzdv.1), by the number of its file there. */
const PARTS = [
  {
    folder: 'Train',
    archive: 'Train.zip',
    md5: '20959b8e626244a1b502305a9e6e2031',
    id: '39c25547-014b-4137-a934-9d29fa53c7a0',
  },
  {
    folder: 'Test',
    archive: 'Test.zip',
    md5: '69ca8762b2fe404d9b9bad1103e97832',
    id: '05a4d654-7e03-4c15-bdfa-9bb2bcbea494',
  },
] as const satisfies readonly (SamplePart & { id: string })[];

const FACTS = {
  ...DATA_SETS.nmnist,
  usualRoot: 'data/N-MNIST',
  licence: 'CC BY-SA 4.0',
  homepage: 'https://www.garrickorchard.com/datasets/n-mnist',
  files: PARTS.map(({ archive, md5, id }) =>
    publishedFile(archive, md5, [
      `https://data.mendeley.com/public-files/datasets/468j46mzdv/files/${id}/file_downloaded`,
    ]),
  ),
};

export const NMNIST_LAYOUT: SampleLayout = {
  ...FACTS,
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
  decode: (bytes, file) => decodeNmnist(bytes, file, DATA_SETS.nmnist),
  howToGet: (root) =>
    howToFetch(FACTS, root, [
      'The zips are read in place. Part of the samples is enough, if unpacked to Train/ and Test/.',
    ]),
};

/**
 * MNIST's digits, shown on a screen to an event camera that moved in three saccades.
 *
 * @see Orchard et al. 2015, "Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades"
 */
export const NMNIST = datasetOfSamples(NMNIST_LAYOUT, {
  summary: "MNIST's digits on a screen, seen by an ATIS event camera that moved in three saccades.",
  licence: FACTS.licence,
  citation:
    'Orchard et al., Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades, Frontiers in Neuroscience 9, 2015.',
  homepage: FACTS.homepage,
  files: FACTS.files,
  remarks: ['A sample without events is a blank clip and a warning.'],
});
