/** Max pooling over [batch, height, width, channels] with non-overlapping windows of `size`; incomplete windows are dropped. */
export interface PoolGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly size: number;
}

/** The largest value of each window. Loops: window, channel, cell of the window. */
export function maxPool(x: Float32Array, g: PoolGeometry): Float32Array {
  const { channels } = g;
  const windows = windowCount(g);
  const cells = cellOffsets(g);
  const y = new Float32Array(windows * channels);
  for (let window = 0; window < windows; window++) {
    const start = windowStart(window, g);
    for (let channel = 0; channel < channels; channel++) {
      let most = x[start + channel]!;
      for (let cell = 1; cell < cells.length; cell++) {
        const value = x[start + channel + cells[cell]!]!;
        if (value > most) most = value;
      }
      y[window * channels + channel] = most;
    }
  }
  return y;
}

/**
 * Assigns each window's gradient to its first maximum in row-major order, as PyTorch does; binary maps often have ties.
 *
 * Loops: window, channel, cell of the window in row-major order. It searches for the maximum again, which is faster than storing its
 * position.
 */
export function maxPoolGradient(dy: Float32Array, x: Float32Array, g: PoolGeometry): Float32Array {
  const { channels } = g;
  const windows = windowCount(g);
  const cells = cellOffsets(g);
  const dx = new Float32Array(x.length);
  for (let window = 0; window < windows; window++) {
    const start = windowStart(window, g);
    for (let channel = 0; channel < channels; channel++) {
      let best = start + channel;
      let most = x[best]!;
      for (let cell = 1; cell < cells.length; cell++) {
        const at = start + channel + cells[cell]!;
        if (x[at]! > most) {
          most = x[at]!;
          best = at;
        }
      }
      dx[best] = dy[window * channels + channel]!;
    }
  }
  return dx;
}

function windowCount({ batch, height, width, size }: PoolGeometry): number {
  return batch * Math.floor(height / size) * Math.floor(width / size);
}

/** The input position of a window's first pixel; windows are numbered like the output's pixels. */
function windowStart(window: number, { height, width, channels, size }: PoolGeometry): number {
  const rows = Math.floor(height / size);
  const columns = Math.floor(width / size);
  const column = window % columns;
  const row = Math.floor(window / columns) % rows;
  const image = Math.floor(window / (columns * rows));
  return ((image * height + row * size) * width + column * size) * channels;
}

/** The distances of a window's cells from its first, in row-major order. */
function cellOffsets({ width, channels, size }: PoolGeometry): Int32Array {
  return Int32Array.from(
    { length: size * size },
    (_, cell) => (Math.floor(cell / size) * width + (cell % size)) * channels,
  );
}
