import { type ConvolutionGeometry, outputSize } from './convolution-geometry.ts';
import { correlateDense, padForDense, rearrangeForDense } from './dense-convolution.ts';
import { convolveSparse } from './sparse-convolution.ts';
import { sparseWeightGradient } from './sparse-weight-gradient.ts';

/**
 * The share of non-zero inputs above which dense loops are faster than listing the non-zero inputs first.
 * The choice depends only on the data, so results are the same in every run.
 */
const denseFrom = 0.3;

/** `y[b, r, c, o] = Σ x[b, r + ky − p, c + kx − p, i] · w[o, i, ky, kx]`; sums in double precision. */
export function convolve(x: Float32Array, weight: Float32Array, g: ConvolutionGeometry): Float32Array {
  const { height, width } = outputSize(g);
  const y = new Float32Array(g.batch * height * width * g.outChannels);
  if (density(x) >= denseFrom) {
    const dense = rearrangeForDense(weight, g.outChannels, g.inChannels, g.kernel, 'forward');
    correlateImages(x, dense, y, g);
  } else {
    convolveSparse(x, weight, y, g);
  }
  return y;
}

/** `dL/dx[b, r, c, i] = Σ dy[b, r − ky + p, c − kx + p, o] · w[o, i, ky, kx]`: dense, as surrogate gradients are rarely zero. */
export function inputGradient(dy: Float32Array, weight: Float32Array, g: ConvolutionGeometry): Float32Array {
  const dx = new Float32Array(g.batch * g.height * g.width * g.inChannels);
  const dense = rearrangeForDense(weight, g.outChannels, g.inChannels, g.kernel, 'transposed');
  correlateImages(dy, dense, dx, {
    ...g,
    ...outputSize(g),
    inChannels: g.outChannels,
    outChannels: g.inChannels,
    padding: g.kernel - 1 - g.padding,
  });
  return dx;
}

/** `dL/dw[o, i, ky, kx] = Σ x[b, r + ky − p, c + kx − p, i] · dy[b, r, c, o]`, over the non-zero x. */
export function weightGradient(x: Float32Array, dy: Float32Array, g: ConvolutionGeometry): Float32Array {
  return sparseWeightGradient(x, dy, g);
}

function correlateImages(
  x: Float32Array,
  weight: Float64Array,
  y: Float32Array,
  g: ConvolutionGeometry,
): void {
  const { height, width } = outputSize(g);
  const padded = padForDense(g);
  for (let image = 0; image < g.batch; image++) {
    padded.fill(x, image);
    correlateDense(padded.data, padded.rowLength, weight, y, image * height * width * g.outChannels, {
      rows: height,
      columns: width,
      inChannels: g.inChannels,
      outChannels: g.outChannels,
      kernel: g.kernel,
    });
  }
}

/** The share of non-zero values, estimated from every 13th: a stride that divides no usual number of channels or columns. */
function density(x: Float32Array): number {
  let nonZero = 0;
  let seen = 0;
  for (let i = 0; i < x.length; i += 13, seen++) if (x[i] !== 0) nonZero++;
  return nonZero / Math.max(1, seen);
}
