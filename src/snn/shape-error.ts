/** A tensor, layer or number that does not fit: the message says where, what was expected and what was found. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}
