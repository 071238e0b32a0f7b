import { DATA_SETS } from '../results/thesis/data-sets.ts';
import { publishedFile } from './contract/dataset.ts';
import { howToFetch } from './contract/how-to-get.ts';
import { decodeAedat2 } from './events/aedat2.ts';
import type { SampleLayout } from './samples/layout.ts';
import { datasetOfSamples } from './samples/sample-dataset.ts';

/** Each class is a zip at figshare, by the number of its file there. */
const ZIPS = [
  ['airplane', 7712788, '0afd5c4bf9ae06af762a77b180354fdd'],
  ['automobile', 7712791, '8438dfeba3bc970c94962d995b1b9bdd'],
  ['bird', 7712794, 'a9c207c91c55b9dc2002dc21c684d785'],
  ['cat', 7712812, '52c63c677c2b15fa5146a8daf4d56687'],
  ['deer', 7712815, 'b6bf21f6c04d21ba4e23fc3e36c8a4a3'],
  ['dog', 7712818, 'f379ebdf6703d16e0a690782e62639c3'],
  ['frog', 7712842, 'cad6ed91214b1c7388a5f6ee56d08803'],
  ['horse', 7712851, 'e7cbbf77bec584ffbf913f00e682782a'],
  ['ship', 7712836, '41c7bd7d6b251be82557c6cce9a7d5c9'],
  ['truck', 7712839, '89f3922fd147d9aeff89e76a2b0b70a7'],
] as const;

const FACTS = {
  ...DATA_SETS['cifar10-dvs'],
  usualRoot: 'data/CIFAR10-DVS',
  licence: 'CC BY 4.0',
  homepage: 'https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671',
  // Where the first address answers with a check for browsers, the second may still serve the file.
  files: ZIPS.map(([name, id, md5]) =>
    publishedFile(`${name}.zip`, md5, [
      `https://ndownloader.figshare.com/files/${id}`,
      `https://api.figshare.com/v2/file/download/${id}`,
    ]),
  ),
};

export const CIFAR10_DVS_LAYOUT: SampleLayout = {
  ...FACTS,
  parts: ZIPS.map(([name, , md5]) => ({ folder: name, archive: `${name}.zip`, md5 })),
  sampleNames: '<class>/cifar10_<class>_<number>.aedat',
  // 8 bytes per event; a sample has some 200,000.
  largestSampleBytes: 64 << 20,
  // As in the original: numbers 0 to 899 of each class.
  trainShare: 0.9,
  parseName(path) {
    const match = /^([a-z]+)\/cifar10_([a-z]+)_(\d+)\.aedat$/.exec(path);
    const label = ZIPS.findIndex(([name]) => name === match?.[1]);
    return label < 0 || match?.[1] !== match?.[2]
      ? null
      : { class: label, split: null, number: Number(match?.[3]) };
  },
  decode: (bytes, file) => decodeAedat2(bytes, file, FACTS.sensor),
  howToGet: (root) => howToFetch(FACTS, root),
};

/**
 * Images of CIFAR10 that moved on a screen in front of a DVS128.
 *
 * @see Li et al. 2017, "CIFAR10-DVS: An Event-Stream Dataset for Object Classification", Frontiers in Neuroscience 11:309
 */
export const CIFAR10_DVS = datasetOfSamples(CIFAR10_DVS_LAYOUT, {
  summary: '1,000 images of each class of CIFAR10, moving on a screen, seen by a DVS128 event camera.',
  licence: FACTS.licence,
  citation:
    'Li, Liu, Ji, Li and Shi, CIFAR10-DVS: An Event-Stream Dataset for Object Classification, Frontiers in Neuroscience 11:309, 2017.',
  homepage: FACTS.homepage,
  files: FACTS.files,
  remarks: [
    'It was published without a split. As in the original, the first 90 % of each class by number are for training: 0 to 899.',
    'A widely used other split tests on numbers 0 to 99 of each class; accuracies on the two cannot be compared.',
  ],
});
