import { ReproError } from '../errors.ts';
import { FRAME_CACHE_FIX, type ImagePreparation } from '../results/clip-index.ts';
import { TorchRandom } from '../snn/torch-random.ts';
import { augmentImage } from './augment.ts';
import type { ClipSource } from './clip-source.ts';
import { mixSeed } from './stream-seed.ts';

/** Distinguishes the stream of image variations from other streams with the same seed: "vary" in ASCII. */
const VARIATION_STREAM = 0x76617279;

/**
 * Still images as a network sees them: `(x / 255 - mean) / std` for each channel, [rows, 1, C, H, W] in single precision. Those read for
 * a training batch are first varied at random.
 *
 * @param source pixels from 0 to 255, [images, 1, C, H, W]
 * @throws {ReproError} `frames-invalid` if the preparation does not have a number for every channel
 */
export function imageSource(source: ClipSource, preparation: ImagePreparation, where: string): ClipSource {
  const [, channels, height, width] = source.shape;
  const { mean, std, augmentation } = preparation;
  if (mean.length !== channels || std.length !== channels || !std.every((value) => value > 0)) {
    throw new ReproError(
      'frames-invalid',
      `images must have a mean and a std for each of ${channels} channels.`,
      {
        where,
        fix: FRAME_CACHE_FIX,
      },
    );
  }
  const size = { channels, height, width };
  const plane = height * width;
  return {
    clips: source.clips,
    shape: source.shape,
    async read(rows, batch) {
      const { shape, data: pixels } = await source.read(rows);
      if (!(pixels instanceof Uint8Array)) throw new TypeError('pixels are bytes');
      const data = new Float32Array(pixels.length);
      const random =
        batch === undefined || augmentation === 'none'
          ? undefined
          : new TorchRandom(mixSeed(batch.seed, VARIATION_STREAM, batch.epoch, batch.batch));
      for (let image = 0; image < rows.length; image++) {
        const start = image * channels * plane;
        const own = pixels.subarray(start, start + channels * plane);
        const shown = random === undefined ? own : augmentImage(own, size, augmentation, random);
        for (let channel = 0; channel < channels; channel++) {
          const [shift, divisor] = [mean[channel]!, std[channel]!];
          for (let i = channel * plane; i < (channel + 1) * plane; i++) {
            data[start + i] = (shown[i]! / 255 - shift) / divisor;
          }
        }
      }
      return { shape, data };
    },
    close: () => source.close(),
  };
}
