import { ReproError } from '../errors.ts';

/**
 * A seed of the profile, as a number.
 *
 * @throws {ReproError} `seed-invalid` unless it is a whole number from 0 to 2^53 - 1
 */
export function readSeed(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ReproError(
    'seed-invalid',
    `A seed must be a whole number of at least 0, found ${String(value)}.`,
    {
      fix: 'Mend `seeds` in the profile.',
    },
  );
}

/** What to say of a seed, if anything: torch's generator on the CPU, and so ours, takes the low 32 bits. */
export function warnOfSeed(seed: number): string | undefined {
  const low = Number(BigInt.asUintN(32, BigInt(seed)));
  if (low === seed) return undefined;
  return `seed ${seed} gives what seed ${low} gives: as in PyTorch on the CPU, its low 32 bits count.`;
}
