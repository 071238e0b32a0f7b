/** A dense tensor in row-major (C) order; `I64` is only used for PyTorch's counters. */
export type Tensor =
  | { readonly dtype: 'F32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'I64'; readonly shape: readonly number[]; readonly data: BigInt64Array };

/** Named tensors under PyTorch's state_dict names and layouts (`conv.0.weight` is [out, in, kh, kw]). */
export type State = ReadonlyMap<string, Tensor>;

/** Number of elements of a tensor of this shape; 1 for a scalar, []. */
export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Names of the tensors with NaN or infinite values. */
export function findBrokenTensors(state: State): string[] {
  return [...state].flatMap(([name, tensor]) =>
    tensor.dtype === 'F32' && !tensor.data.every(Number.isFinite) ? [name] : [],
  );
}

/** A tensor, layer or number that does not fit: the message says where, what was expected and what was found. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  /** The key of a network's configuration that does not fit, such as `tau.mean`, if it is one. */
  readonly key: string | undefined;

  constructor(message: string, { key, ...options }: ErrorOptions & { readonly key?: string } = {}) {
    super(message, options);
    this.key = key;
  }
}
