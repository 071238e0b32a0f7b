import fc from 'fast-check';
import { expect } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';

/**
 * A file with any one byte changed is read, or refused with an error for people.
 *
 * @param check what must hold for whatever is read
 */
export function expectReadOrRefused<T>(
  bytes: Uint8Array,
  read: (bytes: Uint8Array) => T,
  check: (found: T) => void,
): void {
  const change = fc.integer({ min: 1, max: 255 });
  const property = fc.property(fc.nat(bytes.length - 1), change, (position, bits) => {
    const copy = Uint8Array.from(bytes);
    copy[position]! ^= bits;
    let found: T;
    try {
      found = read(copy);
    } catch (error) {
      expect(error).toBeInstanceOf(ReproError);
      return;
    }
    check(found);
  });
  fc.assert(property, { seed: 2020, numRuns: 500 });
}
