/** Pooling over [batch, height, width, channels] with windows of `size` that do not overlap; what does not fill a window is left out. */
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
 * Gives the gradient of each window to its first maximum in row-major order, as PyTorch does; binary maps tie all the time.
 *
 * Loops: window, channel, cell of the window in row-major order. Where the maximum is has to be found again, which is quicker than to
 * keep it.
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

/** The mean of each window; loops as in `maxPool`. */
export function averagePool(x: Float32Array, g: PoolGeometry): Float32Array {
  const { channels } = g;
  const windows = windowCount(g);
  const cells = cellOffsets(g);
  const y = new Float32Array(windows * channels);
  for (let window = 0; window < windows; window++) {
    const start = windowStart(window, g);
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let cell = 0; cell < cells.length; cell++) sum += x[start + channel + cells[cell]!]!;
      y[window * channels + channel] = sum / cells.length;
    }
  }
  return y;
}

/** Spreads the gradient of each window evenly over it. */
export function averagePoolGradient(dy: Float32Array, g: PoolGeometry): Float32Array {
  const { batch, height, width, channels } = g;
  const windows = windowCount(g);
  const cells = cellOffsets(g);
  const dx = new Float32Array(batch * height * width * channels);
  for (let window = 0; window < windows; window++) {
    const start = windowStart(window, g);
    for (let cell = 0; cell < cells.length; cell++) {
      const to = start + cells[cell]!;
      for (let channel = 0; channel < channels; channel++) {
        dx[to + channel] = dy[window * channels + channel]! / cells.length;
      }
    }
  }
  return dx;
}

function windowCount({ batch, height, width, size }: PoolGeometry): number {
  return batch * Math.floor(height / size) * Math.floor(width / size);
}

/** Where the first pixel of a window starts in the input; windows are numbered as the output's pixels. */
function windowStart(window: number, { height, width, channels, size }: PoolGeometry): number {
  const rows = Math.floor(height / size);
  const columns = Math.floor(width / size);
  const column = window % columns;
  const row = Math.floor(window / columns) % rows;
  const image = Math.floor(window / (columns * rows));
  return ((image * height + row * size) * width + column * size) * channels;
}

/** Distances of a window's cells from its first, row-major. */
function cellOffsets({ width, channels, size }: PoolGeometry): Int32Array {
  return Int32Array.from(
    { length: size * size },
    (_, cell) => (Math.floor(cell / size) * width + (cell % size)) * channels,
  );
}
