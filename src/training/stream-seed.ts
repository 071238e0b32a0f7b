/**
 * Mixes several numbers into a 32-bit seed with the steps of MurmurHash3's finaliser: similar inputs give unrelated seeds. It is for
 * streams that depend only on these numbers, not on earlier draws. Only the low 32 bits of each number count.
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
