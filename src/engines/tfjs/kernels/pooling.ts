/** Pooling over [batch, height, width, channels] with windows of `size` that do not overlap; what does not fill a window is left out. */
export interface PoolGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly size: number;
}

/** The largest value of each window. Loops: image, row, column, channel, then the window in row-major order. */
export function maxPool(x: Float32Array, g: PoolGeometry): Float32Array {
  const y = new Float32Array(pooledLength(g));
  forEachWindow(g, (window, target) => {
    for (let channel = 0; channel < g.channels; channel++) {
      y[target + channel] = x[firstMaximum(x, window + channel, g)]!;
    }
  });
  return y;
}

/** Gives the gradient of each window to its first maximum in row-major order, as PyTorch does; binary maps tie all the time. */
export function maxPoolGradient(dy: Float32Array, x: Float32Array, g: PoolGeometry): Float32Array {
  const dx = new Float32Array(x.length);
  forEachWindow(g, (window, target) => {
    for (let channel = 0; channel < g.channels; channel++) {
      dx[firstMaximum(x, window + channel, g)] = dy[target + channel]!;
    }
  });
  return dx;
}

/** The mean of each window. */
export function averagePool(x: Float32Array, g: PoolGeometry): Float32Array {
  const { width, channels, size } = g;
  const y = new Float32Array(pooledLength(g));
  forEachWindow(g, (window, target) => {
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let row = 0; row < size; row++) {
        for (let column = 0; column < size; column++) {
          sum += x[window + channel + (row * width + column) * channels]!;
        }
      }
      y[target + channel] = sum / (size * size);
    }
  });
  return y;
}

/** Spreads the gradient of each window evenly over it. */
export function averagePoolGradient(dy: Float32Array, g: PoolGeometry): Float32Array {
  const { batch, height, width, channels, size } = g;
  const dx = new Float32Array(batch * height * width * channels);
  forEachWindow(g, (window, target) => {
    for (let channel = 0; channel < channels; channel++) {
      const share = dy[target + channel]! / (size * size);
      for (let row = 0; row < size; row++) {
        for (let column = 0; column < size; column++) {
          dx[window + channel + (row * width + column) * channels] = share;
        }
      }
    }
  });
  return dx;
}

/** Place of the first maximum of the window whose first element is at `start`. */
function firstMaximum(x: Float32Array, start: number, { width, channels, size }: PoolGeometry): number {
  let best = start;
  let most = x[start]!;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const at = start + (row * width + column) * channels;
      const value = x[at]!;
      if (value > most) {
        most = value;
        best = at;
      }
    }
  }
  return best;
}

function pooledLength({ batch, height, width, channels, size }: PoolGeometry): number {
  return batch * Math.floor(height / size) * Math.floor(width / size) * channels;
}

/** Visits each window: where its first pixel starts in the input, and where its pixel starts in the output. */
function forEachWindow(g: PoolGeometry, visit: (window: number, target: number) => void): void {
  const { batch, height, width, channels, size } = g;
  const rows = Math.floor(height / size);
  const columns = Math.floor(width / size);
  for (let image = 0; image < batch; image++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        visit(
          ((image * height + row * size) * width + column * size) * channels,
          ((image * rows + row) * columns + column) * channels,
        );
      }
    }
  }
}
