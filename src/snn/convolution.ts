/*
 * Convolutions 3 x 3 with padding 1, without bias. Maps are [H, W, C], so that the innermost loops, over the output channels, run
 * along memory. Sums are in single precision and in the order of the WebAssembly engine (native/src/kernels with 4 lanes): another
 * order rounds differently, and a neuron just at its threshold would then spike in one and not in the other.
 */
const round = Math.fround;

export interface Convolution {
  /** What it reads; it decides the order of the sums. `spikes` are 0 and 1, `dense` are any numbers. */
  readonly input: 'frames' | 'spikes' | 'dense';
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  /** [3, 3, in, out] */
  readonly weights: Float32Array;
  /** The weights for `convolveTiles`, [16, in, out]. */
  readonly tileWeights: Float32Array;
}

/** @param weights PyTorch's, [out, in, 3, 3] */
export function prepareConvolution(
  size: Omit<Convolution, 'weights' | 'tileWeights'>,
  weights: Float32Array,
): Convolution {
  const pairs = size.outChannels * size.inChannels;
  const arranged = new Float32Array(9 * pairs);
  const tileWeights = new Float32Array(16 * pairs);
  const u = new Float32Array(16);
  for (let pair = 0; pair < pairs; pair++) {
    const [o, i] = [Math.floor(pair / size.inChannels), pair % size.inChannels];
    const w = weights.subarray(9 * pair, 9 * pair + 9);
    const half = new Float32Array(12);
    for (let kx = 0; kx < 3; kx++) transformWeights(w, kx, 3, half);
    for (let y = 0; y < 4; y++) transformWeights(half, 3 * y, 1, u, 4 * y);
    const to = i * size.outChannels + o;
    for (let tap = 0; tap < 9; tap++) arranged[tap * pairs + to] = w[tap]!;
    for (let point = 0; point < 16; point++) tileWeights[point * pairs + to] = u[point]!;
  }
  return { ...size, weights: arranged, tileWeights };
}

/** The share of spikes from which the engine convolves them like dense numbers, as that is then faster for it. */
const denseFrom = 0.33;

/** @param input [H, W, in] @returns [H, W, out] */
export function convolve(convolution: Convolution, input: Float32Array): Float32Array {
  const { height, width, inChannels, outChannels } = convolution;
  const out = new Float32Array(height * width * outChannels);
  if (convolution.input === 'frames') {
    for (let plane = 0; plane < inChannels; plane++) scatter(convolution, input, plane, 1, [0, 1, 2], out);
  } else if (convolution.input === 'spikes' && countSpikes(input) < denseFrom * input.length) {
    gatherSpikes(convolution, input, out);
  } else {
    convolveTiles(convolution, input, out);
  }
  return out;
}

function countSpikes(map: Float32Array): number {
  let count = 0;
  for (const spike of map) count += spike;
  return count;
}

/** Adds row by row of the kernel, and for each 64 channels, a sum of its own: first of the middle row, which reaches every output. */
function gatherSpikes(convolution: Convolution, input: Float32Array, out: Float32Array): void {
  const partial = new Float32Array(out.length);
  for (const ky of [1, 0, 2]) {
    for (let channel = 0; channel < convolution.inChannels; channel += 64) {
      partial.fill(0);
      scatter(convolution, input, channel, 64, [ky], partial);
      for (let i = 0; i < out.length; i++) out[i]! += partial[i]!;
    }
  }
}

/**
 * Adds every input other than 0 to the outputs that it reaches. Inputs come row by row, so each output gets its terms in the order
 * of ky, kx and channel.
 *
 * @param first `count` channels from this one
 * @param kys rows of the kernel
 */
function scatter(
  { height, width, inChannels, outChannels, weights }: Convolution,
  input: Float32Array,
  first: number,
  count: number,
  kys: readonly number[],
  out: Float32Array,
): void {
  const end = Math.min(first + count, inChannels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = first; channel < end; channel++) {
        const value = input[(y * width + x) * inChannels + channel]!;
        if (value === 0) continue;
        for (const ky of kys) {
          const row = y + 1 - ky;
          if (row < 0 || row >= height) continue;
          for (let kx = 0; kx < 3; kx++) {
            const column = x + 1 - kx;
            if (column < 0 || column >= width) continue;
            const from = ((3 * ky + kx) * inChannels + channel) * outChannels;
            addWeights(value, weights, from, outChannels, out, (row * width + column) * outChannels);
          }
        }
      }
    }
  }
}

/** Adds `value` times `count` weights to sums; a product is rounded before it is added. */
export function addWeights(
  value: number,
  weights: Float32Array,
  from: number,
  count: number,
  sums: Float32Array,
  to: number,
): void {
  for (let i = 0; i < count; i++) sums[to + i]! += round(value * weights[from + i]!);
}

/**
 * Winograd's minimal filtering F(2 x 2, 3 x 3): for each 2 x 2 outputs, 16 products for a pair of channels instead of 36.
 * `Aᵀ (G w Gᵀ ⊙ Bᵀ d B) A`, where d are the 4 x 4 inputs around them.
 *
 * @see Lavin & Gray 2016 (arXiv 1509.09308)
 */
function convolveTiles(
  { height, width, inChannels, outChannels, tileWeights }: Convolution,
  input: Float32Array,
  out: Float32Array,
): void {
  const d = new Float32Array(16);
  const products = new Float32Array(16 * outChannels);
  const half = new Float32Array(8 * outChannels);
  const tile = new Float32Array(4 * outChannels);
  for (let top = 0; top < height; top += 2) {
    for (let left = 0; left < width; left += 2) {
      products.fill(0);
      for (let channel = 0; channel < inChannels; channel++) {
        for (let point = 0; point < 16; point++) {
          const [y, x] = [top - 1 + (point >> 2), left - 1 + (point & 3)];
          const inside = y >= 0 && y < height && x >= 0 && x < width;
          d[point] = inside ? input[(y * width + x) * inChannels + channel]! : 0;
        }
        for (let y = 0; y < 4; y++) transformInputs(d, 4 * y, 1);
        for (let x = 0; x < 4; x++) transformInputs(d, x, 4);
        for (let point = 0; point < 16; point++) {
          const from = (point * inChannels + channel) * outChannels;
          addWeights(d[point]!, tileWeights, from, outChannels, products, point * outChannels);
        }
      }
      for (let i = 0; i < 4 * outChannels; i++) transformProducts(products, i, 4 * outChannels, half);
      for (let y = 0; y < 2; y++) {
        for (let o = 0; o < outChannels; o++) {
          transformProducts(half, 4 * y * outChannels + o, outChannels, tile, 2 * y * outChannels + o);
        }
      }
      for (let i = 0; i < 4; i++) {
        const [y, x] = [top + (i >> 1), left + (i & 1)];
        if (y >= height || x >= width) continue;
        out.set(tile.subarray(i * outChannels, (i + 1) * outChannels), (y * width + x) * outChannels);
      }
    }
  }
}

/** G: three weights to four numbers. `step` lies between two of either. */
function transformWeights(w: Float32Array, at: number, step: number, u: Float32Array, to = at): void {
  const [w0, w1, w2] = [w[at]!, w[at + step]!, w[at + 2 * step]!];
  const even = round(0.5 * round(w0 + w2));
  const odd = round(0.5 * w1);
  u[to] = w0;
  u[to + step] = even + odd;
  u[to + 2 * step] = even - odd;
  u[to + 3 * step] = w2;
}

/** Bᵀ: four inputs, in place. */
function transformInputs(d: Float32Array, at: number, step: number): void {
  const [d0, d1, d2, d3] = [d[at]!, d[at + step]!, d[at + 2 * step]!, d[at + 3 * step]!];
  d[at] = d0 - d2;
  d[at + step] = d1 + d2;
  d[at + 2 * step] = d2 - d1;
  d[at + 3 * step] = d1 - d3;
}

/** Aᵀ: four products to two outputs. */
function transformProducts(m: Float32Array, at: number, step: number, out: Float32Array, to = at): void {
  const [m1, m2] = [m[at + step]!, m[at + 2 * step]!];
  out[to] = m[at]! + round(m1 + m2);
  out[to + step] = round(m1 - m2) - m[at + 3 * step]!;
}
