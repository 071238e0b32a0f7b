import { dropoutLayers, type NetworkSpec } from '../snn/spec.ts';
import { TorchRandom } from '../snn/torch-random.ts';

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

/** One 32-bit seed of several numbers, by the mixing steps of MurmurHash3: close inputs give unrelated seeds. */
function mixSeed(...parts: readonly number[]): number {
  let hash = 0;
  for (const part of parts) {
    hash = (hash ^ part) + 0x9e3779b9;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
