import type { ConvolutionGeometry } from './convolution-geometry.ts';

/** The output pixels and channels per pass of the innermost loop: 8 sums, which fit in registers. */
const pixelBlock = 4;
const channelBlock = 2;

interface DenseShape {
  readonly rows: number;
  readonly columns: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
}

/**
 * Weights for `correlateDense`, [out, ky, kx · in], with an extra channel of zeros if their number is odd.
 *
 * `forward` keeps PyTorch's [out, in, ky, kx] roles; `transposed` swaps in and out and flips both axes, which turns a convolution
 * into the gradient by its input.
 */
export function rearrangeForDense(
  weight: Float32Array,
  outChannels: number,
  inChannels: number,
  kernel: number,
  direction: 'forward' | 'transposed',
): Float64Array {
  const area = kernel * kernel;
  const transposed = direction === 'transposed';
  const [to, from] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
  const arranged = new Float64Array(roundUp(to, channelBlock) * area * from);
  for (let o = 0; o < outChannels; o++) {
    for (let i = 0; i < inChannels; i++) {
      for (let tap = 0; tap < area; tap++) {
        const value = weight[(o * inChannels + i) * area + tap]!;
        const place = transposed ? (i * area + (area - 1 - tap)) * from + o : (o * area + tap) * from + i;
        arranged[place] = value;
      }
    }
  }
  return arranged;
}

/** An image with a border of zeros, in double precision, wide enough for whole blocks of output pixels. */
interface PaddedImage {
  readonly data: Float64Array;
  /** The number of elements in a row. */
  readonly rowLength: number;
  /** Copies image number `image` of `x` inside the border. */
  fill(x: Float32Array, image: number): void;
}

export function padForDense(g: ConvolutionGeometry): PaddedImage {
  const { height, width, inChannels, kernel, padding } = g;
  const columns = width + 2 * padding - kernel + 1;
  const rowLength = (roundUp(columns, pixelBlock) + kernel - 1) * inChannels;
  const data = new Float64Array((height + 2 * padding) * rowLength);
  const length = width * inChannels;
  const fill = (x: Float32Array, image: number): void => {
    for (let row = 0; row < height; row++) {
      const from = (image * height + row) * length;
      data.set(x.subarray(from, from + length), (row + padding) * rowLength + padding * inChannels);
    }
  };
  return { data, rowLength, fill };
}

/**
 * `out[r, c, o] = Σ_ky Σ_j padded[r + ky, (c · in) + j] · weight[o, ky, j]`, j over kernel · in neighbouring elements of a row.
 *
 * Loops: row, block of 4 pixels, block of 2 output channels, then ky and j: six loads give 8 products, and the sums stay in
 * registers. Pixels and channels beyond the edge are computed from zeros and discarded.
 */
export function correlateDense(
  padded: Float64Array,
  rowLength: number,
  weight: Float64Array,
  out: Float32Array,
  outStart: number,
  shape: DenseShape,
): void {
  const { rows, columns, inChannels, outChannels, kernel } = shape;
  const run = kernel * inChannels;
  const taps = kernel * run;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column += pixelBlock) {
      const pixels = columns - column;
      const target = outStart + (row * columns + column) * outChannels;
      for (let o = 0; o < outChannels; o += channelBlock) {
        let a0 = 0;
        let a1 = 0;
        let a2 = 0;
        let a3 = 0;
        let b0 = 0;
        let b1 = 0;
        let b2 = 0;
        let b3 = 0;
        for (let ky = 0; ky < kernel; ky++) {
          const p0 = (row + ky) * rowLength + column * inChannels;
          const p1 = p0 + inChannels;
          const p2 = p1 + inChannels;
          const p3 = p2 + inChannels;
          const w0 = o * taps + ky * run;
          const w1 = w0 + taps;
          for (let j = 0; j < run; j++) {
            const wa = weight[w0 + j]!;
            const wb = weight[w1 + j]!;
            const x0 = padded[p0 + j]!;
            const x1 = padded[p1 + j]!;
            const x2 = padded[p2 + j]!;
            const x3 = padded[p3 + j]!;
            a0 += wa * x0;
            a1 += wa * x1;
            a2 += wa * x2;
            a3 += wa * x3;
            b0 += wb * x0;
            b1 += wb * x1;
            b2 += wb * x2;
            b3 += wb * x3;
          }
        }
        const second = o + 1 < outChannels;
        let at = target + o;
        out[at] = a0;
        if (second) out[at + 1] = b0;
        if (pixels > 1) {
          at += outChannels;
          out[at] = a1;
          if (second) out[at + 1] = b1;
        }
        if (pixels > 2) {
          at += outChannels;
          out[at] = a2;
          if (second) out[at + 1] = b2;
        }
        if (pixels > 3) {
          at += outChannels;
          out[at] = a3;
          if (second) out[at + 1] = b3;
        }
      }
    }
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
