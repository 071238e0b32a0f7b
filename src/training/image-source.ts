import { ReproError, unreachable } from '../base/errors.ts';
import { mixSeed, TorchRandom } from '../network/torch-random.ts';
import { type Augmentation, FRAME_CACHE_FIX, type ImagePreparation } from '../results/clip-index.ts';
import type { ClipSource } from './clip-source.ts';

/** Distinguishes the stream of image variations from other streams with the same seed: "vary" in ASCII. */
const VARIATION_STREAM = 0x76617279;

/**
 * Images as a network sees them: `(x / 255 - mean) / std` for each channel, in single precision: still ones [rows, 1, C, H, W], or split
 * into T strips, top to bottom, [rows, T, C, H / T, W]. Those read for a training batch are first varied at random.
 *
 * @param source pixels from 0 to 255, [images, 1, C, H, W]
 * @param steps T, which divides H
 * @throws {ReproError} `frames-invalid` if the preparation does not have a number for every channel
 */
export function imageSource(
  source: ClipSource,
  preparation: ImagePreparation,
  where: string,
  steps = 1,
): ClipSource {
  const [, channels, height, width] = source.shape;
  const { mean, std, augmentation } = preparation;
  if (mean.length !== channels || std.length !== channels || !std.every((value) => value > 0)) {
    const problem = `images must have a mean and a std for each of ${channels} channels.`;
    throw new ReproError('frames-invalid', problem, { where, fix: FRAME_CACHE_FIX });
  }
  const size = { channels, height, width };
  const plane = height * width;
  const strip = plane / steps;
  const shape = [steps, channels, height / steps, width] as const;
  return {
    clips: source.clips,
    shape,
    async read(rows, batch) {
      const { data: pixels } = await source.read(rows);
      if (!(pixels instanceof Uint8Array)) throw new TypeError('pixels are bytes');
      const data = new Float32Array(pixels.length);
      const random =
        batch && new TorchRandom(mixSeed(batch.seed, VARIATION_STREAM, batch.epoch, batch.batch));
      for (let image = 0; image < rows.length; image++) {
        const start = image * channels * plane;
        const own = pixels.subarray(start, start + channels * plane);
        const shown = random === undefined ? own : augmentImage(own, size, augmentation, random);
        for (let channel = 0; channel < channels; channel++) {
          const [shift, divisor] = [mean[channel]!, std[channel]!];
          for (let step = 0; step < steps; step++) {
            const from = channel * plane + step * strip;
            const to = start + (step * channels + channel) * strip;
            for (let i = 0; i < strip; i++) data[to + i] = (shown[from + i]! / 255 - shift) / divisor;
          }
        }
      }
      return { shape: [rows.length, ...shape], data };
    },
    close: () => source.close(),
  };
}

/** Numbers that are uniform in [0, 1). */
type UniformStream = Pick<TorchRandom, 'uniform'>;

/** Rows and columns of an image, and its colours. */
interface ImageSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** MNIST's: up to 30° either way, shifts of up to 15 % of the size, and 0.85 to 1.11 times as large. */
const AFFINE = { degrees: 30, shift: 0.15, scale: [0.85, 1.11] } as const;

/** CIFAR10's: the image on a black margin of this many pixels, from which as much as the image's size is cut. */
const CROP_MARGIN = 4;

/**
 * Varies one training image at random.
 *
 * @param pixels [C, H, W], 0 to 255; not changed
 * @param random how many numbers it takes depends only on the kind
 * @returns [C, H, W]; `pixels` itself for `none`
 */
export function augmentImage(
  pixels: Uint8Array,
  size: ImageSize,
  kind: Augmentation,
  random: UniformStream,
): Uint8Array {
  switch (kind) {
    case 'none':
      return pixels;
    case 'random-affine':
      return transformAffinely(pixels, size, drawAffine(size, random));
    case 'random-crop-flip':
      return cropAndFlip(pixels, size, drawCrop(random));
    default:
      return unreachable(kind);
  }
}

/** How many numbers the variation of an image takes from its stream; as many as torchvision 0.8 and later take from torch's. */
export function countDraws(kind: Augmentation): number {
  // Angle, two shifts and scale; or two offsets and whether to flip.
  return { none: 0, 'random-affine': 4, 'random-crop-flip': 3 }[kind];
}

/** A rotation about the image's centre and a scaling, then a shift by whole pixels. */
export interface Affine {
  /** Clockwise as seen, since rows count downwards. */
  readonly degrees: number;
  readonly scale: number;
  readonly right: number;
  readonly down: number;
}

function drawAffine({ height, width }: ImageSize, random: UniformStream): Affine {
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  const degrees = between(-AFFINE.degrees, AFFINE.degrees);
  const right = Math.round(between(-AFFINE.shift * width, AFFINE.shift * width));
  const down = Math.round(between(-AFFINE.shift * height, AFFINE.shift * height));
  return { degrees, right, down, scale: between(...AFFINE.scale) };
}

/**
 * The image under an affine map, black where it shows nothing. Each pixel takes the value of the one its centre comes from (nearest
 * neighbour), as torchvision's `RandomAffine` does with Pillow images.
 */
export function transformAffinely(
  pixels: Uint8Array,
  { channels, height, width }: ImageSize,
  { degrees, scale, right, down }: Affine,
): Uint8Array {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const [centreX, centreY] = [width / 2, height / 2];
  const moved = new Uint8Array(pixels.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = column + 0.5 - centreX - right;
      const y = row + 0.5 - centreY - down;
      const fromColumn = Math.floor(cos * x + sin * y + centreX);
      const fromRow = Math.floor(-sin * x + cos * y + centreY);
      if (fromColumn < 0 || fromColumn >= width || fromRow < 0 || fromRow >= height) continue;
      for (let channel = 0; channel < channels; channel++) {
        const plane = channel * height * width;
        moved[plane + row * width + column] = pixels[plane + fromRow * width + fromColumn]!;
      }
    }
  }
  return moved;
}

/** How far the cut-out lies from the image itself, in pixels, and whether left and right are exchanged afterwards. */
interface Crop {
  readonly right: number;
  readonly down: number;
  readonly flip: boolean;
}

function drawCrop(random: UniformStream): Crop {
  const offset = () => Math.floor(random.uniform() * (2 * CROP_MARGIN + 1)) - CROP_MARGIN;
  const down = offset();
  const right = offset();
  return { right, down, flip: random.uniform() < 0.5 };
}

/** The part of the image at an offset, black beyond its edges, and perhaps mirrored. */
export function cropAndFlip(
  pixels: Uint8Array,
  { channels, height, width }: ImageSize,
  { right, down, flip }: Crop,
): Uint8Array {
  const cut = new Uint8Array(pixels.length);
  for (let channel = 0; channel < channels; channel++) {
    const plane = channel * height * width;
    for (let row = 0; row < height; row++) {
      const fromRow = row + down;
      if (fromRow < 0 || fromRow >= height) continue;
      for (let column = 0; column < width; column++) {
        const fromColumn = column + right;
        if (fromColumn < 0 || fromColumn >= width) continue;
        const to = flip ? width - 1 - column : column;
        cut[plane + row * width + to] = pixels[plane + fromRow * width + fromColumn]!;
      }
    }
  }
  return cut;
}
