import { constants, defineKernel, entryPoint, type Kernel } from './kernel.ts';

/*
 * Convolutions and linear layers as matrix products, tile by tile: a group of 64 threads computes 64 rows x `columns` columns, each thread 8 x
 * `columns`/8 in registers, from 16 terms at a time in workgroup memory. Every thread reads 4 + 4 values for 16 products there, so the
 * arithmetic units, not memory, are the limit. A group takes 8 KB
 * of workgroup memory, so that a processor holds several and hides latency.
 *
 * Spikes are read as bits: a word is 32 channels of a pixel, of which each becomes 0 or 1 on its way into workgroup memory.
 */

/** An image of the input or of the output: sizes in pixels, padded channels. */
export interface ProductShape {
  /** Padded channels, and the side of the window with its border of zeros; a linear layer has 1 and 0. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernel: number;
  readonly padding: number;
  /** The input's height and width. */
  readonly height: number;
  readonly width: number;
  /** T: images of a sample. */
  readonly steps: number;
  readonly input: 'bits' | 'dense';
}

export const outHeight = ({ height, kernel, padding }: ProductShape): number =>
  height - kernel + 1 + 2 * padding;
export const outWidth = ({ width, kernel, padding }: ProductShape): number =>
  width - kernel + 1 + 2 * padding;

/** Of each of a product's three directions, for each sample, with padded channels. */
function countFlop(shape: ProductShape): number {
  const { steps, kernel, inChannels, outChannels } = shape;
  return 2 * steps * outHeight(shape) * outWidth(shape) * kernel ** 2 * inChannels * outChannels;
}

const ROWS = 64;
const TERMS = 16;

/** 64, or 32 where 64 would be half empty. */
export const columnsOf = (channels: number): number => (channels % 64 === 0 ? 64 : 32);

const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Registers and the inner product; `left` is [term][row], `right` [term][column], both in vectors of 4. */
function tile(columns: number) {
  const wide = columns / 32; // vectors of columns for each thread
  const accumulators = indices(8).flatMap((row) => indices(wide).map((part) => `sum${row}_${part}`));
  return {
    memory: `
var<workgroup> left: array<vec4f, ${TERMS * 16}>;
var<workgroup> right: array<vec4f, ${(TERMS * columns) / 4}>;
`,
    start: accumulators.map((name) => `var ${name} = vec4f();`).join('\n'),
    multiply: `
workgroupBarrier();
for (var term = 0u; term < ${TERMS}u; term++) {
  let low = left[term * 16u + threadRow];
  let high = left[term * 16u + threadRow + 8u];
  ${indices(wide)
    .map((part) => `let right${part} = right[term * ${columns / 4}u + threadColumn + ${8 * part}u];`)
    .join('\n')}
  ${indices(8)
    .flatMap((row) =>
      indices(wide).map(
        (part) =>
          `sum${row}_${part} = fma(vec4f(${row < 4 ? 'low' : 'high'}.${'xyzw'[row % 4]}), right${part}, sum${row}_${part});`,
      ),
    )
    .join('\n')}
}
workgroupBarrier();
`,
    /** @param write of (row in the tile, vector of columns in the tile, value) */
    finish: (write: (row: string, column: string, value: string) => string) =>
      indices(8)
        .flatMap((row) =>
          indices(wide).map((part) =>
            write(
              `(threadRow * 4u + ${row < 4 ? row : row + 28}u)`,
              `(threadColumn + ${8 * part}u)`,
              `sum${row}_${part}`,
            ),
          ),
        )
        .join('\n'),
  };
}

const threads = `
  let threadRow = thread / 8u;      // 4 rows from here, and 4 from 32 further
  let threadColumn = thread % 8u;   // vectors of 4 columns
  let quad = thread % 16u;          // what this thread loads: 4 rows or columns,
  let layer = thread / 16u;         // and 4 terms
`;

/**
 * Forward: `y[p, o] = Σ over taps k and channels i of x[p + k − padding, i] · w[k, i, o]`, with x as bits or numbers.
 * Input gradient: `dx[p, i] = Σ over taps k and channels o of dy[p − k + padding, o] · w[k, i, o]`.
 *
 * @returns a kernel that reads `source` (x or dy) and `weight` [k², in, out], and writes `result` (y or dx)
 */
export function productByRows(shape: ProductShape, direction: 'forward' | 'input gradient'): Kernel {
  const isForward = direction === 'forward';
  const isBits = isForward && shape.input === 'bits';
  const [fromHeight, fromWidth, toHeight, toWidth] = isForward
    ? [shape.height, shape.width, outHeight(shape), outWidth(shape)]
    : [outHeight(shape), outWidth(shape), shape.height, shape.width];
  const [terms, channels] = isForward
    ? [shape.inChannels, shape.outChannels]
    : [shape.outChannels, shape.inChannels];
  const columns = columnsOf(channels);
  const parts = tile(columns);
  const declared = constants({
    TERMS_OF_TAP: terms,
    CHANNELS: channels,
    KERNEL: shape.kernel,
    PADDING: shape.padding,
    FROM_HEIGHT: fromHeight,
    FROM_WIDTH: fromWidth,
    TO_WIDTH: toWidth,
    TO_PIXELS: toHeight * toWidth,
    IMAGES: shape.steps,
    OUT_CHANNELS: shape.outChannels,
  });
  const loadRow = isBits
    ? `let word = source[pixel * (TERMS_OF_TAP / 32u) + term / 32u] >> (term % 32u);
  return vec4f(vec4u(word, word >> 1u, word >> 2u, word >> 3u) & vec4u(1u));`
    : 'return source[(pixel * TERMS_OF_TAP + term) / 4u];';
  // Weights are [k², in, out]: forward they are read as they lie, for the input gradient turned around.
  const loadRight = isForward
    ? `for (var i = thread; i < ${(TERMS * columns) / 4}u; i += 64u) {
         let term = tap * TERMS_OF_TAP + first + i / ${columns / 4}u;
         right[i] = weight[(term * CHANNELS + column) / 4u + i % ${columns / 4}u];
       }`
    : `if (quad < ${columns / 4}u) {
         let line = ((tap * CHANNELS + column + quad * 4u) * OUT_CHANNELS + first) / 4u + layer;
         let turned = transpose(mat4x4f(
           weight[line], weight[line + OUT_CHANNELS / 4u], weight[line + OUT_CHANNELS / 2u], weight[line + OUT_CHANNELS * 3u / 4u],
         ));
         ${indices(4)
           .map((i) => `right[(layer * 4u + ${i}u) * ${columns / 4}u + quad] = turned[${i}];`)
           .join('\n         ')}
       }`;
  return defineKernel(
    isForward ? `product of ${isBits ? 'spikes' : 'values'}` : 'input gradient',
    (samples) => Math.ceil((samples * shape.steps * toHeight * toWidth) / ROWS) * (channels / columns),
    { source: isBits ? 'read u32' : 'read vec4f', weight: 'read vec4f', result: 'write vec4f' },
    `${declared}${parts.memory}
/// 4 terms from the pixel at (y, x) of an image; zeros outside.
fn loadRow(image: u32, y: i32, x: i32, term: u32) -> vec4f {
  if (y < 0 || y >= i32(FROM_HEIGHT) || x < 0 || x >= i32(FROM_WIDTH)) { return vec4f(); }
  let pixel = image + u32(y) * FROM_WIDTH + u32(x);
  ${loadRow}
}
${entryPoint('64')}
  let rowCount = batch.samples * IMAGES * TO_PIXELS;
  let tileRow = group / (CHANNELS / ${columns}u) * ${ROWS}u;
  let column = group % (CHANNELS / ${columns}u) * ${columns}u;
  if (tileRow >= rowCount) { return; }
  ${threads}
  let rows = vec4u(tileRow + quad * 4u) + vec4u(0, 1, 2, 3);
  let images = rows / TO_PIXELS * (FROM_HEIGHT * FROM_WIDTH);
  let pixels = rows % TO_PIXELS;
  let heights = select(vec4i(-100000), vec4i(pixels / TO_WIDTH), rows < vec4u(rowCount)); // a row too many reads zeros
  let widths = vec4i(pixels % TO_WIDTH);
  ${parts.start}
  for (var tap = 0u; tap < KERNEL * KERNEL; tap++) {
    let down = ${isForward ? 'i32(tap / KERNEL) - i32(PADDING)' : 'i32(PADDING) - i32(tap / KERNEL)'};
    let across = ${isForward ? 'i32(tap % KERNEL) - i32(PADDING)' : 'i32(PADDING) - i32(tap % KERNEL)'};
    for (var first = 0u; first < TERMS_OF_TAP; first += ${TERMS}u) {
      let term = first + layer * 4u;
      let turned = transpose(mat4x4f(
        ${[...'xyzw'].map((i) => `loadRow(images.${i}, heights.${i} + down, widths.${i} + across, term),`).join('\n        ')}
      ));
      ${indices(4)
        .map((i) => `left[(layer * 4u + ${i}u) * 16u + quad] = turned[${i}];`)
        .join('\n      ')}
      ${loadRight}
      ${parts.multiply}
    }
  }
  ${parts.finish(
    (row, vector, value) =>
      `if (tileRow + ${row} < rowCount) { result[((tileRow + ${row}) * CHANNELS + column) / 4u + ${vector}] = ${value}; }`,
  )}
}
`,
    countFlop(shape),
  );
}

/** Tiles of the weights' gradient. */
function weightTiles({ kernel, inChannels, outChannels }: ProductShape): number {
  return Math.ceil((kernel ** 2 * inChannels) / ROWS) * (outChannels / columnsOf(outChannels));
}

/** Into how many sums the pixels are divided, so that small images keep a large device busy, too. */
export function weightSplits(shape: ProductShape): number {
  const pixels = shape.steps * outHeight(shape) * outWidth(shape);
  return Math.max(1, Math.min(32, Math.ceil(1024 / weightTiles(shape)), Math.ceil(pixels / 64)));
}

/**
 * Weight gradient: `dw[k, i, o] = Σ over samples, steps and pixels p of x[p + k − padding, i] · dy[p, o]`. The pixels are divided into
 * `weightSplits` sums, which `reduceParts` adds up in a fixed order; slices of the batch add to them one after the other.
 *
 * @returns a kernel that reads `source` (x) and `gradient` (dy), and writes `parts` [splits, k², in, out]
 */
export function productOfWeights(shape: ProductShape): Kernel {
  const isBits = shape.input === 'bits';
  const columns = columnsOf(shape.outChannels);
  const parts = tile(columns);
  const load = isBits
    ? `let word = source[origin * (IN_CHANNELS / 32u) + channel / 32u] >> (channel % 32u);
       values = vec4f(vec4u(word, word >> 1u, word >> 2u, word >> 3u) & vec4u(1u));`
    : 'values = source[(origin * IN_CHANNELS + channel) / 4u];';
  return defineKernel(
    `weight gradient from ${isBits ? 'spikes' : 'values'}`,
    () => weightTiles(shape) * weightSplits(shape),
    { source: isBits ? 'read u32' : 'read vec4f', gradient: 'read vec4f', parts: 'write vec4f' },
    `${constants({
      IN_CHANNELS: shape.inChannels,
      OUT_CHANNELS: shape.outChannels,
      KERNEL: shape.kernel,
      PADDING: shape.padding,
      HEIGHT: shape.height,
      WIDTH: shape.width,
      OUT_WIDTH: outWidth(shape),
      OUT_PIXELS: outHeight(shape) * outWidth(shape),
      IMAGES: shape.steps,
      SPLITS: weightSplits(shape),
      TILES: weightTiles(shape),
    })}${parts.memory}
${entryPoint('64')}
  let split = group / TILES;
  if (split >= SPLITS) { return; }
  let tileRow = group % TILES / (OUT_CHANNELS / ${columns}u) * ${ROWS}u;
  let column = group % (OUT_CHANNELS / ${columns}u) * ${columns}u;
  let pixels = batch.samples * IMAGES * OUT_PIXELS;
  let share = (pixels / SPLITS / ${TERMS}u + 1u) * ${TERMS}u;
  let end = min(pixels, (split + 1u) * share);
  ${threads}
  let row = tileRow + quad * 4u;
  let tap = row / IN_CHANNELS;
  let channel = row % IN_CHANNELS;
  let down = i32(tap / KERNEL) - i32(PADDING);
  let across = i32(tap % KERNEL) - i32(PADDING);
  ${parts.start}
  for (var first = split * share; first < end; first += ${TERMS}u) {
    for (var i = 0u; i < 4u; i++) {
      let pixel = first + layer + 4u * i;
      let y = i32(pixel % OUT_PIXELS / OUT_WIDTH) + down;
      let x = i32(pixel % OUT_PIXELS % OUT_WIDTH) + across;
      var values = vec4f();
      if (pixel < end && tap < KERNEL * KERNEL && y >= 0 && y < i32(HEIGHT) && x >= 0 && x < i32(WIDTH)) {
        let origin = (pixel / OUT_PIXELS * HEIGHT + u32(y)) * WIDTH + u32(x);
        ${load}
      }
      left[(layer + 4u * i) * 16u + quad] = values;
    }
    for (var i = thread; i < ${(TERMS * columns) / 4}u; i += 64u) {
      let pixel = first + i / ${columns / 4}u;
      right[i] = vec4f();
      if (pixel < end) { right[i] = gradient[(pixel * OUT_CHANNELS + column) / 4u + i % ${columns / 4}u]; }
    }
    ${parts.multiply}
  }
  let size = KERNEL * KERNEL * IN_CHANNELS * OUT_CHANNELS / 4u;
  ${parts.finish(
    (line, vector, value) => `
  if (tileRow + ${line} < KERNEL * KERNEL * IN_CHANNELS) {
    let at = split * size + ((tileRow + ${line}) * OUT_CHANNELS + column) / 4u + ${vector};
    if (batch.slice == 0u) { parts[at] = ${value}; } else { parts[at] += ${value}; }
  }`,
  )}
}
`,
    countFlop(shape),
  );
}
