import type { ImageDataset, PublishedFile } from './dataset.ts';
import { howToFetch } from './how-to-get.ts';
import { CIFAR10_CLASSES, readCifar10, verifyCifar10 } from './images/cifar10-files.ts';

const FACTS = {
  name: 'cifar10',
  title: 'CIFAR10',
  profile: 'cifar10',
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

const published = { train: 50_000, test: 10_000 };
const howToGet = (root: string): string => howToFetch(FACTS, root);
const reader = { ...FACTS, classes: CIFAR10_CLASSES, published, howToGet };

/**
 * Small colour photographs of animals and vehicles.
 *
 * @see Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images"
 */
export const CIFAR10: ImageDataset = {
  kind: 'images',
  ...FACTS,
  classes: CIFAR10_CLASSES,
  published,
  summary: 'Photographs of animals and vehicles, in colour, 32 x 32 pixels.',
  citation:
    'Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, Toronto, 2009.',
  remarks: ['The binary version, not the Python or Matlab one.'],
  recordingsNoun: 'files',
  image: { channels: 3, height: 32, width: 32 },
  preparation: {
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.2023, 0.1994, 0.201],
    augmentation: 'random-crop-flip',
  },
  howToGet,
  verify: (root, options) => verifyCifar10(reader, root, options),
  readImages: (root, options) => readCifar10(reader, root, options),
};
