import { dropoutLayers, type NetworkSpec } from '../snn/spec.ts';
import { TorchRandom } from '../snn/torch-random.ts';
import { mixSeed } from './stream-seed.ts';

/**
 * Dropout masks of one batch, [batchSize, features] for each dropout layer: 1 / (1 - p) with probability 1 - p, else 0.
 *
 * They come from a stream of their own that depends on nothing but these three numbers, so that a resumed training draws
 * the same ones. PyTorch on a GPU draws them from the GPU's generator, which is not reproduced.
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
