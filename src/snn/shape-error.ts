/** A tensor, layer or number that does not fit: the message says where, what was expected and what was found. */
export class ShapeError extends Error {
  override readonly name: string = 'ShapeError';
}

/** A network with more values than can be addressed. */
export class NetworkSizeError extends ShapeError {
  override readonly name = 'NetworkSizeError';
}
