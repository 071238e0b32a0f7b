import { type ConvolutionGeometry, outputSize } from './convolution.ts';

/*
 * Both loops below visit the non-zero inputs only. An input at (r, c) reaches the outputs (r + p − ky, c + p − kx); on a canvas that
 * carries a border of kernel − 1 these are the rows r … r + kernel − 1 and, in each, kernel · out neighbouring elements, so that one
 * input meets `kernel` short, contiguous runs of weights: [in, row on the canvas, column on the canvas · out].
 */

/** Weights [in, kernel − 1 − ky, (kernel − 1 − kx) · out] from PyTorch's [out, in, ky, kx]. */
export function rearrangeForSparse(weight: Float32Array, g: ConvolutionGeometry): Float64Array {
  const arranged = new Float64Array(weight.length);
  for (let at = 0; at < weight.length; at++) arranged[sparsePlace(at, g)] = weight[at] as number;
  return arranged;
}

/** The inverse of `rearrangeForSparse`, for gradients. */
export function layOutWeightGradient(sums: Float64Array, g: ConvolutionGeometry): Float32Array {
  const gradient = new Float32Array(sums.length);
  for (let at = 0; at < sums.length; at++) gradient[at] = sums[sparsePlace(at, g)] as number;
  return gradient;
}

/**
 * Convolution by scattering: for each non-zero x, `canvas[run] += x · weight[run]`.
 *
 * Loops: image, pixel, input channel, then canvas row and the run of columns and output channels, unrolled by four. The canvas holds
 * one image in double precision; what falls on its border is dropped when it is copied to `y`.
 */
export function scatterSparse(
  x: Float32Array,
  weight: Float64Array,
  y: Float32Array,
  g: ConvolutionGeometry,
): void {
  const { batch, height, width, inChannels, kernel } = g;
  const canvas = makeCanvas(g);
  const sums = canvas.data;
  const run = kernel * g.outChannels;
  let at = 0;
  for (let image = 0; image < batch; image++) {
    sums.fill(0);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const corner = row * canvas.rowLength + column * g.outChannels;
        for (let channel = 0; channel < inChannels; channel++) {
          const value = x[at++] as number;
          if (value === 0) continue;
          let w = channel * kernel * run;
          for (let ky = 0; ky < kernel; ky++) {
            let s = corner + ky * canvas.rowLength;
            const end = s + run;
            for (; s + 3 < end; s += 4, w += 4) {
              sums[s]! += value * weight[w]!;
              sums[s + 1]! += value * weight[w + 1]!;
              sums[s + 2]! += value * weight[w + 2]!;
              sums[s + 3]! += value * weight[w + 3]!;
            }
            for (; s < end; s++, w++) sums[s]! += value * weight[w]!;
          }
        }
      }
    }
    canvas.copyTo(y, image);
  }
}

/**
 * Weight gradient: for each non-zero x, `sums[run] += x · dy[run]`; the loops of `scatterSparse` with weights and canvas changing roles.
 *
 * @param sums [in, canvas row, canvas column · out], added to
 */
export function addWeightGradient(
  x: Float32Array,
  dy: Float32Array,
  sums: Float64Array,
  g: ConvolutionGeometry,
): void {
  const { batch, height, width, inChannels, kernel } = g;
  const canvas = makeCanvas(g);
  const gradient = canvas.data;
  const run = kernel * g.outChannels;
  let at = 0;
  for (let image = 0; image < batch; image++) {
    canvas.copyFrom(dy, image);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const corner = row * canvas.rowLength + column * g.outChannels;
        for (let channel = 0; channel < inChannels; channel++) {
          const value = x[at++] as number;
          if (value === 0) continue;
          let w = channel * kernel * run;
          for (let ky = 0; ky < kernel; ky++) {
            let s = corner + ky * canvas.rowLength;
            const end = s + run;
            for (; s + 3 < end; s += 4, w += 4) {
              sums[w]! += value * gradient[s]!;
              sums[w + 1]! += value * gradient[s + 1]!;
              sums[w + 2]! += value * gradient[s + 2]!;
              sums[w + 3]! += value * gradient[s + 3]!;
            }
            for (; s < end; s++, w++) sums[w]! += value * gradient[s]!;
          }
        }
      }
    }
  }
}

function sparsePlace(at: number, g: ConvolutionGeometry): number {
  const area = g.kernel * g.kernel;
  const tap = area - 1 - (at % area);
  const channels = Math.floor(at / area);
  const input = channels % g.inChannels;
  const output = Math.floor(channels / g.inChannels);
  return (input * area + tap) * g.outChannels + output;
}

/** One output image inside a border that takes what an input at the edge would reach. */
function makeCanvas(g: ConvolutionGeometry) {
  const { height, width } = outputSize(g);
  const border = g.kernel - 1 - g.padding;
  const rowLength = (g.width + g.kernel - 1) * g.outChannels;
  const data = new Float64Array((g.height + g.kernel - 1) * rowLength);
  const length = width * g.outChannels;
  const start = (row: number) => (row + border) * rowLength + border * g.outChannels;
  return {
    data,
    rowLength,
    copyTo(images: Float32Array, image: number): void {
      for (let row = 0; row < height; row++) {
        images.set(data.subarray(start(row), start(row) + length), (image * height + row) * length);
      }
    },
    copyFrom(images: Float32Array, image: number): void {
      for (let row = 0; row < height; row++) {
        const from = (image * height + row) * length;
        data.set(images.subarray(from, from + length), start(row));
      }
    },
  };
}
