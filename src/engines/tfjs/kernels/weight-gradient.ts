import { type ConvolutionGeometry, outputSize } from './convolution.ts';

/** The number of neighbouring weights whose sums are in registers at a time. */
const weightBlock = 8;

/**
 * Weight gradient over the non-zero inputs.
 *
 * An input at (r, c) reaches the outputs (r + p − ky, c + p − kx). On a canvas with dy inside a border of kernel − 1 − p, these are
 * the rows r … r + kernel − 1 and, in each, kernel · out neighbouring elements. So, with the inputs of one channel in a list,
 * `sums[channel, row, j] = Σ x · canvas[place(x) + row · rowLength + j]`, j over kernel · out.
 *
 * Loops: image; two passes to list its non-zero inputs by channel; then channel, canvas row, block of 8 j, and the list, with the
 * sums in registers.
 *
 * @returns dL/dw in PyTorch's layout [out, in, ky, kx]
 */
export function weightGradient(x: Float32Array, dy: Float32Array, g: ConvolutionGeometry): Float32Array {
  const { batch, height, width, inChannels, outChannels, kernel } = g;
  const run = kernel * outChannels;
  const stride = Math.ceil(run / weightBlock) * weightBlock;
  const sums = new Float64Array(inChannels * kernel * stride);
  const canvas = makeCanvas(g);
  const imageSize = height * width * inChannels;
  const places = new Int32Array(imageSize);
  const values = new Float64Array(imageSize);
  const starts = new Int32Array(inChannels + 1);

  for (let image = 0; image < batch; image++) {
    listByChannel(x, image * imageSize, g, canvas.rowLength, starts, places, values);
    if (starts[inChannels] === 0) continue;
    canvas.fill(dy, image);
    const gradient = canvas.data;
    for (let channel = 0; channel < inChannels; channel++) {
      const start = starts[channel]!;
      const end = starts[channel + 1]!;
      if (start === end) continue;
      for (let row = 0; row < kernel; row++) {
        for (let j = 0; j < run; j += weightBlock) {
          const shift = row * canvas.rowLength + j;
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
            const at = places[i]! + shift;
            s0 += value * gradient[at]!;
            s1 += value * gradient[at + 1]!;
            s2 += value * gradient[at + 2]!;
            s3 += value * gradient[at + 3]!;
            s4 += value * gradient[at + 4]!;
            s5 += value * gradient[at + 5]!;
            s6 += value * gradient[at + 6]!;
            s7 += value * gradient[at + 7]!;
          }
          const w = (channel * kernel + row) * stride + j; // sums beyond the run are never read
          sums[w]! += s0;
          sums[w + 1]! += s1;
          sums[w + 2]! += s2;
          sums[w + 3]! += s3;
          sums[w + 4]! += s4;
          sums[w + 5]! += s5;
          sums[w + 6]! += s6;
          sums[w + 7]! += s7;
        }
      }
    }
  }
  return layOut(sums, stride, g);
}

/** Lists an image's non-zero inputs by channel: those of channel i are from `starts[i]` to `starts[i + 1]`, in row-major order. */
function listByChannel(
  x: Float32Array,
  from: number,
  { height, width, inChannels, outChannels }: ConvolutionGeometry,
  rowLength: number,
  starts: Int32Array,
  places: Int32Array,
  values: Float64Array,
): void {
  starts.fill(0);
  const pixels = height * width;
  for (let pixel = 0, at = from; pixel < pixels; pixel++) {
    for (let channel = 0; channel < inChannels; channel++) if (x[at++] !== 0) starts[channel + 1]!++;
  }
  for (let channel = 0; channel < inChannels; channel++) starts[channel + 1]! += starts[channel]!;
  for (let row = 0, at = from; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < inChannels; channel++) {
        const value = x[at++]!;
        if (value === 0) continue;
        const next = starts[channel]!;
        places[next] = row * rowLength + column * outChannels;
        values[next] = value;
        starts[channel] = next + 1;
      }
    }
  }
  // Filling moved each start to that of the next channel; move them back.
  for (let channel = inChannels; channel > 0; channel--) starts[channel] = starts[channel - 1]!;
  starts[0] = 0;
}

/** One image of dy in double precision, inside the border that inputs at the edge reach, with room for the last block. */
function makeCanvas(g: ConvolutionGeometry) {
  const { height, width } = outputSize(g);
  const border = g.kernel - 1 - g.padding;
  const rowLength = (g.width + g.kernel - 1) * g.outChannels;
  const data = new Float64Array((g.height + g.kernel - 1) * rowLength + weightBlock);
  const length = width * g.outChannels;
  const fill = (images: Float32Array, image: number): void => {
    for (let row = 0; row < height; row++) {
      const from = (image * height + row) * length;
      data.set(images.subarray(from, from + length), (row + border) * rowLength + border * g.outChannels);
    }
  };
  return { data, rowLength, fill };
}

/** [in, canvas row, canvas column · out] to [out, in, ky, kx]; the canvas's rows and columns run opposite to ky and kx. */
function layOut(sums: Float64Array, stride: number, g: ConvolutionGeometry): Float32Array {
  const { inChannels, outChannels, kernel } = g;
  const gradient = new Float32Array(outChannels * inChannels * kernel * kernel);
  let at = 0;
  for (let o = 0; o < outChannels; o++) {
    for (let i = 0; i < inChannels; i++) {
      for (let row = kernel - 1; row >= 0; row--) {
        for (let column = kernel - 1; column >= 0; column--) {
          gradient[at++] = sums[(i * kernel + row) * stride + column * outChannels + o]!;
        }
      }
    }
  }
  return gradient;
}
