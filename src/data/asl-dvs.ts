import { DATA_SETS } from '../results/thesis/data-sets.ts';
import { showPath, thenRun } from './contract/how-to-get.ts';
import { READERS } from './events/readers.ts';
import type { SampleLayout } from './samples/layout.ts';
import { datasetOfSamples } from './samples/sample-dataset.ts';

const HOMEPAGE = 'https://github.com/PIX2NVS/NVS2Graph';
const USUAL_ROOT = 'data/ASL-DVS';

const LETTERS = DATA_SETS['asl-dvs'].classes;

export const ASL_DVS_LAYOUT: SampleLayout = {
  ...DATA_SETS['asl-dvs'],
  usualRoot: USUAL_ROOT,
  parts: LETTERS.map((letter) => ({ folder: letter, archive: `${letter}.zip`, md5: null })),
  sampleNames: '<letter>/<letter>_<number>.mat',
  largestSampleBytes: 64 << 20,
  // As in the original: numbers 1 to 3,360 of each class.
  trainShare: 0.8,
  parseName(path) {
    const match = /^([a-y])\/([a-y])_(\d+)\.mat$/.exec(path);
    const label = LETTERS.indexOf(match?.[1] ?? '');
    return label < 0 || match?.[1] !== match?.[2]
      ? null
      : { class: label, split: null, number: Number(match?.[3]) };
  },
  decode: (bytes, file) => READERS.mat.decode(bytes, file, DATA_SETS['asl-dvs']),
  howToGet: (root) =>
    [
      'ASL-DVS is free for research. Download it by hand:',
      `  1. The folder at Dropbox that ${HOMEPAGE} links to is deleted. OpenI has a mirror:`,
      '     openi dataset download OpenI/ASLDVS',
      `  2. Unpack the ICCV2019_DVS_dataset.zip in it into ${showPath(root)}: it contains one zip for each letter, a.zip to y.zip without j.`,
      '     They are read in place; unpacked to a/ to y/, they are read faster.',
      ...thenRun('asl-dvs', root, USUAL_ROOT).map((line, i) => (i === 0 ? `  3. ${line}` : `  ${line}`)),
    ].join('\n'),
};

/**
 * Letters of the American sign language, shown by five people to a DAVIS240C.
 *
 * @see Bi et al. 2019, "Graph-based Object Classification for Neuromorphic Vision Sensing", ICCV
 */
export const ASL_DVS = datasetOfSamples(ASL_DVS_LAYOUT, {
  summary:
    '24 letters of the American sign language by five people, 4,200 samples each, seen by a DAVIS240C.',
  licence: 'none stated; free for research',
  citation:
    'Bi, Chadha, Abbas, Bourtsoulatze and Andreopoulos, Graph-based Object Classification for Neuromorphic Vision Sensing, ICCV 2019.',
  homepage: HOMEPAGE,
  files: [],
  remarks: [
    'It was published without a split. As in the original, the first 80 % of each class by number are for training: 1 to 3,360.',
    'The thesis’ script accepts it, but no published program has a network for it; docs/networks.md says what is trained here.',
    'The original would have sheared its frames (frames.rowStride: height).',
    'No checksum is published, since Dropbox packed each download anew: verify checks the structure of every file.',
  ],
});
