import { DATA_SETS } from '../thesis/data-sets.ts';
import { datasetOfIdxFiles } from './images/idx-dataset.ts';

/**
 * Handwritten digits.
 *
 * @see LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition"
 */
export const MNIST = datasetOfIdxFiles({
  ...DATA_SETS.mnist,
  usualRoot: 'data/MNIST',
  summary: 'Handwritten digits, grey, 28 x 28 pixels.',
  licence: 'CC BY-SA 3.0',
  citation:
    'LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, Proceedings of the IEEE 86(11), 1998.',
  homepage: 'https://yann.lecun.org/exdb/mnist/',
  remarks: [],
  preparation: { mean: [0.1307], std: [0.3081], augmentation: 'random-affine' },
  // The original page refuses downloads; these hold the same bytes.
  mirrors: [
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
    'https://storage.googleapis.com/cvdf-datasets/mnist/',
  ],
  idx: [
    ['train', 'images', 9_912_422, 'f68b3c2dcbeaaa9fbdd348bbdeb94873', '6bbc9ace898e44ae57da46a324031adb'],
    ['train', 'labels', 28_881, 'd53e105ee54ea40749a09fcbcd1e9432', 'a25bea736e30d166cdddb491f175f624'],
    ['test', 'images', 1_648_877, '9fb629c4189551a2d022fa330f9573f3', '2646ac647ad5339dbf082846283269ea'],
    ['test', 'labels', 4_542, 'ec29112dd5afa0611ce80d1b7f02629c', '27ae3e4e09519cfbb04c329615203637'],
  ],
});
