import { type ConvolutionGeometry, outputSize } from './convolution-geometry.ts';

/** The number of output channels whose sums are in registers at a time. */
const channelBlock = 8;

/**
 * Convolution over the non-zero inputs: `y[r, c, o] = Σ x · w[tap, i, o]` over the non-zero x in the window of (r, c).
 *
 * Loops: image and output row; first a pass over the `kernel` input rows in its window, which adds each non-zero input to the list
 * of every output column that it reaches; then, for each output column and block of 8 channels, the sum over its list, in registers.
 * (sparse-weight-gradient.ts has the same eight sums. A shared function would make this one 50 % slower, as lists are short.)
 */
export function convolveSparse(
  x: Float32Array,
  weight: Float32Array,
  y: Float32Array,
  g: ConvolutionGeometry,
): void {
  const { batch, height, width, inChannels, outChannels, kernel, padding } = g;
  const out = outputSize(g);
  const stride = Math.ceil(outChannels / channelBlock) * channelBlock;
  const weights = weightRows(weight, g, stride);
  const capacity = kernel * kernel * inChannels;
  const values = new Float64Array(out.width * capacity);
  const rows = new Int32Array(out.width * capacity); // where each input's weights start
  const lengths = new Int32Array(out.width);

  for (let image = 0; image < batch; image++) {
    for (let row = 0; row < out.height; row++) {
      lengths.fill(0);
      for (let ky = 0; ky < kernel; ky++) {
        const inputRow = row + ky - padding;
        if (inputRow < 0 || inputRow >= height) continue;
        let at = (image * height + inputRow) * width * inChannels;
        for (let column = 0; column < width; column++) {
          const first = Math.max(0, column + padding - out.width + 1);
          const last = Math.min(kernel - 1, column + padding);
          for (let channel = 0; channel < inChannels; channel++) {
            const value = x[at++]!;
            if (value === 0) continue;
            for (let kx = first; kx <= last; kx++) {
              const target = column + padding - kx;
              const end = target * capacity + lengths[target]!;
              values[end] = value;
              rows[end] = ((ky * kernel + kx) * inChannels + channel) * stride;
              lengths[target]!++;
            }
          }
        }
      }
      for (let column = 0; column < out.width; column++) {
        const start = column * capacity;
        const end = start + lengths[column]!;
        const target = ((image * out.height + row) * out.width + column) * outChannels;
        for (let o = 0; o < outChannels; o += channelBlock) {
          let s0 = 0;
          let s1 = 0;
          let s2 = 0;
          let s3 = 0;
          let s4 = 0;
          let s5 = 0;
          let s6 = 0;
          let s7 = 0;
          for (let i = start; i < end; i++) {
            const value = values[i]!;
            const w = rows[i]! + o;
            s0 += value * weights[w]!;
            s1 += value * weights[w + 1]!;
            s2 += value * weights[w + 2]!;
            s3 += value * weights[w + 3]!;
            s4 += value * weights[w + 4]!;
            s5 += value * weights[w + 5]!;
            s6 += value * weights[w + 6]!;
            s7 += value * weights[w + 7]!;
          }
          const left = outChannels - o;
          const at = target + o;
          y[at] = s0;
          if (left > 1) y[at + 1] = s1;
          if (left > 2) y[at + 2] = s2;
          if (left > 3) y[at + 3] = s3;
          if (left > 4) y[at + 4] = s4;
          if (left > 5) y[at + 5] = s5;
          if (left > 6) y[at + 6] = s6;
          if (left > 7) y[at + 7] = s7;
        }
      }
    }
  }
}

/** Weights [ky, kx, in, out] from PyTorch's [out, in, ky, kx], `stride` from one row of output channels to the next. */
function weightRows(weight: Float32Array, g: ConvolutionGeometry, stride: number): Float64Array {
  const { inChannels, outChannels } = g;
  const area = g.kernel * g.kernel;
  const rows = new Float64Array(area * inChannels * stride);
  for (let o = 0; o < outChannels; o++) {
    for (let i = 0; i < inChannels; i++) {
      for (let tap = 0; tap < area; tap++) {
        rows[(tap * inChannels + i) * stride + o] = weight[(o * inChannels + i) * area + tap]!;
      }
    }
  }
  return rows;
}
