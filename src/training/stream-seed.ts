/**
 * One 32-bit seed of several numbers, by the mixing steps of MurmurHash3: close inputs give unrelated seeds. For streams that depend on
 * nothing but these numbers, whatever else was drawn before. Of each number the low 32 bits count.
 */
export function mixSeed(...parts: readonly number[]): number {
  let hash = 0;
  for (const part of parts) {
    hash = (hash ^ part) + 0x9e3779b9;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
