import { dropoutLayers, type NetworkSpec } from './spec.ts';
import { mixSeed, TorchRandom } from './torch-random.ts';

/**
 * The dropout masks of one batch, [batchSize, features] per dropout layer: 1 / (1 - p) with probability 1 - p, otherwise 0.
 *
 * Each batch has its own stream, which depends only on these three numbers, so that a resumed training draws the same masks;
 * the test has them in NumPy. PyTorch on a GPU uses the GPU's generator, which is not reproduced.
 *
 * @param at epoch and batch count from 0
 */
export function drawDropoutMasks(
  spec: NetworkSpec,
  batchSize: number,
  at: { readonly seed: number; readonly epoch: number; readonly batch: number },
): Float32Array[] {
  const random = new TorchRandom(mixSeed(at.seed, at.epoch, at.batch));
  return dropoutLayers(spec).map(({ probability, features }) => {
    const keep = 1 - probability;
    const mask = new Float32Array(batchSize * features);
    for (let i = 0; i < mask.length; i++) mask[i] = random.uniform() < keep ? 1 / keep : 0;
    return mask;
  });
}
