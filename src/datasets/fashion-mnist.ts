import { DATA_SETS } from '../thesis/data-sets.ts';
import { datasetOfIdxFiles } from './images/idx-dataset.ts';

/**
 * Pictures of clothes, in MNIST's format.
 *
 * @see Xiao et al. 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", arXiv 1708.07747
 */
export const FASHION_MNIST = datasetOfIdxFiles({
  ...DATA_SETS['fashion-mnist'],
  usualRoot: 'data/FashionMNIST',
  summary: "Pictures of clothes, grey, 28 x 28 pixels, in MNIST's format.",
  licence: 'MIT',
  citation:
    'Xiao, Rasul and Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms, arXiv 1708.07747, 2017.',
  homepage: 'https://github.com/zalandoresearch/fashion-mnist',
  remarks: [
    "Debian's package dataset-fashion-mnist installs the same images, packed again: --root /usr/share/datasets/fashion-mnist.",
  ],
  preparation: { mean: [0.286], std: [0.353], augmentation: 'none' },
  mirrors: [
    'https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/',
    'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
  ],
  idx: [
    ['train', 'images', 26_421_880, '8d4fb7e6c68d591d4c3dfef9ec88bf0d', 'f4a8712d7a061bf5bd6d2ca38dc4d50a'],
    ['train', 'labels', 29_515, '25c81989df183df01b3e8a0aad5dffbe', '9018921c3c673c538a1fc5bad174d6f9'],
    ['test', 'images', 4_422_102, 'bef4ecab320f06d8554ea6380940ec79', '8181f5470baa50b63fa0f6fddb340f0a'],
    ['test', 'labels', 5_148, 'bb300cfdad3c16e7a12a480ee83cd310', '15d484375f8d13e6eb1aabb0c3f46965'],
  ],
});
