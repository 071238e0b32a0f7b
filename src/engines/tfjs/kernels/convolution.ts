/**
 * A convolution with stride 1 over channels-last images.
 * Input [batch, height, width, inChannels], weight [outChannels, inChannels, kernel, kernel] as in PyTorch, output
 * [batch, height + 2·padding − kernel + 1, width + 2·padding − kernel + 1, outChannels].
 */
export interface ConvolutionGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  /** Zeros around the image, at most kernel − 1. */
  readonly padding: number;
}

export function outputSize(g: ConvolutionGeometry): { height: number; width: number } {
  const shrink = g.kernel - 1 - 2 * g.padding;
  return { height: g.height - shrink, width: g.width - shrink };
}

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

/** The number of output channels whose sums are in registers at a time. */
const sparseBlock = 8;

/**
 * Convolution over the non-zero inputs: `y[r, c, o] = Σ x · w[tap, i, o]` over the non-zero x in the window of (r, c).
 *
 * Loops: image and output row; first a pass over the `kernel` input rows in its window, which adds each non-zero input to the list
 * of every output column that it reaches; then, for each output column and block of 8 channels, the sum over its list, in registers.
 * (weight-gradient.ts has the same eight sums. A shared function would make this one 50 % slower, as lists are short.)
 */
export function convolveSparse(
  x: Float32Array,
  weight: Float32Array,
  y: Float32Array,
  g: ConvolutionGeometry,
): void {
  const { batch, height, width, inChannels, outChannels, kernel, padding } = g;
  const out = outputSize(g);
  const stride = Math.ceil(outChannels / sparseBlock) * sparseBlock;
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
        for (let o = 0; o < outChannels; o += sparseBlock) {
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
