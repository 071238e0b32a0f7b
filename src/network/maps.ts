import type { Synapses } from './cost.ts';
import type { LayerOf } from './spec.ts';

/*
 * What layers do with the values of one step, for forward.ts. A map is [H, W, C] with the channels innermost, so that the innermost
 * loops, over output channels, run along memory. Sums are in single precision, in the order of the WebAssembly engine
 * (native/src/kernels with 4 lanes): another order rounds differently, and a neuron just at its threshold would then spike in only
 * one of the two.
 */
const round = Math.fround;

/** Of a map, although the map itself is [H, W, C]. */
export type Shape = readonly [channels: number, height: number, width: number];

/** A convolution 3 x 3 with padding 1, without bias. */
export interface Convolution {
  /** Of its input. */
  readonly shape: Shape;
  /** [3, 3, in, out] */
  readonly weights: Float32Array;
  /** Whether its input are the frames, which are added in another order than spikes. */
  readonly readsFrames: boolean;
}

/** Pooling windows over a map of `shape`. */
type Pool = LayerOf<'pool'> & { readonly shape: Shape };

/** From PyTorch's [out, in, places] to [places, in, out]; places are pixels of a map, or of a 3 x 3 kernel. */
export function arrangeWeights(weights: Float32Array, inputs: number, places: number): Float32Array {
  const outputs = weights.length / inputs / places;
  const arranged = new Float32Array(weights.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let place = 0; place < places; place++)
        arranged[(place * inputs + i) * outputs + o] = weights[(o * inputs + i) * places + place]!;
    }
  }
  return arranged;
}

/** From a frame, [P, H, W] at `start`, to a map. */
export function readFrame(
  [planes, height, width]: Shape,
  frames: ArrayLike<number>,
  start: number,
): Float32Array {
  const pixels = height * width;
  const map = new Float32Array(planes * pixels);
  for (let plane = 0; plane < planes; plane++) {
    for (let pixel = 0; pixel < pixels; pixel++)
      map[pixel * planes + plane] = frames[start + plane * pixels + pixel]!;
  }
  return map;
}

/** Of frames, plane by plane. Of spikes, row by row of the kernel, first the middle one, in groups of 64 channels with a sum each. */
export function convolveMap(convolution: Convolution, input: Float32Array): Float32Array {
  const [channels, height, width] = convolution.shape;
  const out = new Float32Array((height * width * convolution.weights.length) / 9 / channels);
  if (convolution.readsFrames) {
    for (let plane = 0; plane < channels; plane++)
      addNeighbours(convolution, input, [0, 1, 2], plane, plane + 1, out);
    return out;
  }
  const sums = new Float32Array(out.length);
  for (const ky of [1, 0, 2]) {
    for (let first = 0; first < channels; first += 64) {
      addNeighbours(convolution, input, [ky], first, Math.min(first + 64, channels), sums.fill(0));
      for (let i = 0; i < out.length; i++) out[i]! += sums[i]!;
    }
  }
  return out;
}

/**
 * Adds the inputs other than 0 in some channels to all outputs that they reach by some rows of the kernel. As inputs come row by row,
 * each output gets its terms in the order of ky, kx and channel.
 */
function addNeighbours(
  { shape: [channels, height, width], weights }: Convolution,
  input: Float32Array,
  kernelRows: readonly number[],
  first: number,
  end: number,
  out: Float32Array,
): void {
  const outputs = out.length / height / width;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = first; channel < end; channel++) {
        const value = input[(y * width + x) * channels + channel]!;
        if (value === 0) continue;
        for (const ky of kernelRows) {
          const row = y + 1 - ky;
          if (row < 0 || row >= height) continue;
          for (let kx = 0; kx < 3; kx++) {
            const column = x + 1 - kx;
            if (column < 0 || column >= width) continue;
            const from = ((3 * ky + kx) * channels + channel) * outputs;
            addWeights(value, weights, from, outputs, out, (row * width + column) * outputs);
          }
        }
      }
    }
  }
}

/** A linear layer, with weights [H, W, C, out]: inputs other than 0 come in the order of the map. */
export function connect(weights: Float32Array, input: Float32Array): Float32Array {
  const outputs = weights.length / input.length;
  const out = new Float32Array(outputs);
  for (let i = 0; i < input.length; i++)
    if (input[i] !== 0) addWeights(input[i]!, weights, i * outputs, outputs, out, 0);
  return out;
}

/** Adds `value` times `count` weights; a product is rounded before it is added. */
function addWeights(
  value: number,
  weights: Float32Array,
  from: number,
  count: number,
  sums: Float32Array,
  to: number,
): void {
  for (let i = 0; i < count; i++) sums[to + i]! += round(value * weights[from + i]!);
}

/** Batch norm in evaluation, `x = y · scale + shift`, in place. @param scale and shift: [C] */
export function normaliseMap(map: Float32Array, scale: Float32Array, shift: Float32Array): Float32Array {
  for (let start = 0; start < map.length; start += scale.length) {
    for (let c = 0; c < scale.length; c++) map[start + c] = round(map[start + c]! * scale[c]!) + shift[c]!;
  }
  return map;
}

/** The largest or the mean value of each window; an incomplete one at the edge is left out. Values are at least 0. */
export function poolMap(
  { mode, size, shape: [channels, height, width] }: Pool,
  map: Float32Array,
): Float32Array {
  const [rows, columns] = [Math.floor(height / size), Math.floor(width / size)];
  const pooled = new Float32Array(rows * columns * channels);
  for (let y = 0; y < rows * size; y++) {
    for (let x = 0; x < columns * size; x++) {
      const to = (Math.floor(y / size) * columns + Math.floor(x / size)) * channels;
      for (let c = 0; c < channels; c++) {
        const value = map[(y * width + x) * channels + c]!;
        if (mode === 'average') pooled[to + c]! += value / size ** 2;
        else if (value > pooled[to + c]!) pooled[to + c] = value;
      }
    }
  }
  return pooled;
}

/** The mean of each class's output neurons, [classes]. @param group their number */
export function countVotes(map: Float32Array, group: number): Float32Array {
  const votes = new Float32Array(map.length / group);
  for (let i = 0; i < map.length; i++) votes[Math.floor(i / group)]! += map[i]!;
  return votes.map((count) => count / group);
}

/** Effective synaptic operations: the fan-outs of all inputs other than 0. */
export function countOperations({ channels, fanOuts }: Synapses, map: Float32Array): number {
  let total = 0;
  for (let i = 0; i < map.length; i++) if (map[i] !== 0) total += fanOuts[Math.floor(i / channels)]!;
  return total;
}
