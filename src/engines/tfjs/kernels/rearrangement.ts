/** [batch, rows, columns] to [batch, columns, rows]: channels-last to channels-first, and back with rows and columns exchanged. */
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
