/** Numbers in [0, 1) from a seed: Marsaglia's xorshift32. */
export function randomNumbers(seed: number): () => number {
  let state = (seed + 1) * 2654435769;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** `length` values, each made from the next random number. */
export function randomArray(
  length: number,
  random: () => number,
  make = (u: number) => 2 * u - 1,
): Float32Array {
  return Float32Array.from({ length }, () => make(random()));
}
