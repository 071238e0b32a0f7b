/** [batch, rows, columns] to [batch, columns, rows]: channels-last to channels-first, and back with rows and columns swapped. */
export function swapLastAxes(x: Float32Array, batch: number, rows: number, columns: number): Float32Array {
  const y = new Float32Array(x.length);
  for (let image = 0; image < batch; image++) {
    const base = image * rows * columns;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        y[base + column * rows + row] = x[base + row * columns + column]!;
      }
    }
  }
  return y;
}

/** `x[t, n, f] · mask[n, f]` over all steps t. */
export function maskOverSteps(x: Float32Array, mask: Float32Array): Float32Array {
  const y = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += mask.length) {
    for (let i = 0; i < mask.length; i++) y[start + i] = x[start + i]! * mask[i]!;
  }
  return y;
}

/** x at each of `steps` time steps: consecutive copies. */
export function repeatOverSteps(x: Float32Array, steps: number): Float32Array {
  const y = new Float32Array(steps * x.length);
  for (let step = 0; step < steps; step++) y.set(x, step * x.length);
  return y;
}

/** `Σ y[t, i]` over the steps t, in double precision: the backward pass of `repeatOverSteps`. */
export function sumOverSteps(y: Float32Array, steps: number): Float32Array {
  const size = y.length / steps;
  const sums = Float64Array.from(y.subarray(0, size));
  for (let start = size; start < y.length; start += size) {
    for (let i = 0; i < size; i++) sums[i]! += y[start + i]!;
  }
  return Float32Array.from(sums);
}
