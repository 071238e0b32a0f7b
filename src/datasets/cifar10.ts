import { DATA_SETS } from '../thesis/data-sets.ts';
import type { ImageDataset, PublishedFile } from './dataset.ts';
import { howToFetch } from './how-to-get.ts';
import { readCifar10, verifyCifar10 } from './images/cifar10-files.ts';

const FACTS = {
  ...DATA_SETS.cifar10,
  usualRoot: 'data/CIFAR10',
  licence: 'no licence stated; free to use with citation',
  homepage: 'https://www.cs.toronto.edu/~kriz/cifar.html',
  files: [
    {
      name: 'cifar-10-binary.tar.gz',
      checksum: { kind: 'md5', hex: 'c32a1d4ab5d03f1284b67883e8d87530' },
      sizeBytes: null,
      urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
    },
  ] satisfies PublishedFile[],
} as const;

const howToGet = (root: string): string => howToFetch(FACTS, root);
const reader = { ...FACTS, howToGet };

/**
 * Small colour photographs of animals and vehicles.
 *
 * @see Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images"
 */
export const CIFAR10: ImageDataset = {
  ...FACTS,
  summary: 'Photographs of animals and vehicles, in colour, 32 x 32 pixels.',
  citation:
    'Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, Toronto, 2009.',
  remarks: ['The binary version, not the Python or Matlab one.'],
  recordingsNoun: 'files',
  preparation: {
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.2023, 0.1994, 0.201],
    augmentation: 'random-crop-flip',
  },
  howToGet,
  verify: (root, options) => verifyCifar10(reader, root, options),
  readImages: (root, options) => readCifar10(reader, root, options),
};
