import { decodeAslDvs } from '../events/asl-dvs.ts';
import { DATA_SETS } from '../thesis/data-sets.ts';
import { thenRun } from './how-to-get.ts';
import { datasetOfSamples } from './samples/dataset.ts';
import type { SampleLayout } from './samples/layout.ts';
import { showPath } from './show-path.ts';

const HOMEPAGE = 'https://github.com/PIX2NVS/NVS2Graph';
const USUAL_ROOT = 'data/ASL-DVS';

const LETTERS = DATA_SETS['asl-dvs'].classes;

/** Where its samples are, what they are called, and how they are read and split. */
export const ASL_DVS_LAYOUT: SampleLayout = {
  ...DATA_SETS['asl-dvs'],
  usualRoot: USUAL_ROOT,
  parts: LETTERS.map((letter) => ({ folder: letter, archive: `${letter}.zip`, md5: null })),
  sampleNames: '<letter>/<letter>_<number>.mat',
  largestSampleBytes: 64 << 20,
  // As a public script with the original's arguments splits it: numbers 1 to 3,360 of each class.
  trainShare: 0.8,
  parseName(path) {
    const match = /^([a-y])\/([a-y])_(\d+)\.mat$/.exec(path);
    const label = LETTERS.indexOf(match?.[1] ?? '');
    return label < 0 || match?.[1] !== match?.[2]
      ? null
      : { class: label, split: null, number: Number(match?.[3]) };
  },
  decode: decodeAslDvs,
  howToGet: (root) =>
    [
      'ASL-DVS is free for research. Download it by hand:',
      `  1. Open ${HOMEPAGE} and follow its link to the data set, a folder at Dropbox.`,
      '  2. Download the folder; Dropbox packs it as one zip, differently each time, so it has no checksum.',
      `  3. Unpack that zip into ${showPath(root)}: it contains one zip for each letter, a.zip to y.zip without j. They are`,
      '     read in place; unpacked to a/ to y/, they are read faster. For another folder: --set dataset.root=DIR.',
      ...thenRun('asl-dvs', root, USUAL_ROOT).map((line, i) => (i === 0 ? `  4. ${line}` : `  ${line}`)),
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
    "It was published without a split. The first 80 % of each class by number are for training, 1 to 3,360, as a public script with the original's arguments splits it.",
    'The thesis’ script accepts it, but no published program has a network for it; docs/networks.md says what is trained here.',
    'The original would have sheared its frames (frames.rowStride: height).',
    'Dropbox packs the download anew each time, so there is no checksum to rely on: verify checks the structure of every file.',
  ],
});
