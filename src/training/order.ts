import { TorchRandom } from '../snn/torch-random.ts';

/**
 * The order in which one epoch visits the training clips: positions in the training part of the split.
 *
 * The original's three data loaders (training, test, validation, in this order) each draw a base seed for their workers
 * from torch's global generator, and the two that shuffle then draw the seed of a permutation. All of these draws are made
 * here, so that later epochs too have the order that PyTorch gives them. The validation order itself changes nothing,
 * since every validation clip counts.
 *
 * @param random the stream that the network's initial weights were drawn from
 */
export function drawEpochOrder(random: TorchRandom, trainClips: number): Int32Array {
  random.int64(); // training loader: base seed
  const order = new TorchRandom(random.int64()).permutation(trainClips);
  random.int64(); // test loader: base seed
  random.int64(); // validation loader: base seed
  random.int64(); // validation loader: seed of its permutation
  return order;
}
