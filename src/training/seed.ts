import { ReproError } from '../errors.ts';

/**
 * Reads a seed of the profile.
 *
 * @throws {ReproError} `seed-invalid` unless it is a whole number from 0 to 2^53 - 1
 */
export function readSeed(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ReproError(
    'seed-invalid',
    `A seed must be a whole number of at least 0, found ${String(value)}.`,
    {
      fix: 'Correct `seeds` in the profile.',
    },
  );
}

/** A warning about a seed, if needed: torch's generator on the CPU, and therefore ours, uses only the low 32 bits. */
export function warnOfSeed(seed: number): string | undefined {
  const low = Number(BigInt.asUintN(32, BigInt(seed)));
  if (low === seed) return undefined;
  return `seed ${seed} is the same as seed ${low}: as in PyTorch on the CPU, only its low 32 bits count.`;
}
