import { hasErrorCode, ReproError } from '../../errors.ts';
import { ShapeError } from '../../snn/tensor.ts';
import { describeMemory } from '../memory-error.ts';

/** Gives an error of the addon the type that other engines' have; any other error is returned unchanged. */
export function explainNativeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (hasErrorCode(error, 'PLIF_SHAPE')) return new ShapeError(error.message, { cause: error });
  if (hasErrorCode(error, 'PLIF_OUT_OF_MEMORY')) {
    const bytes = 'bytes' in error && typeof error.bytes === 'number' ? error.bytes : undefined;
    const need = bytes === undefined ? '' : `: it needs ${describeMemory(addressable(bytes))} at once`;
    return new ReproError('out-of-memory', `This network does not fit in memory${need}.`, {
      fix: 'Use a smaller network, or a machine with more memory.',
      cause: error,
    });
  }
  return error;
}

/** The addon counts no further than 2⁵⁶. */
function addressable(bytes: number): number {
  return bytes < 2 ** 56 ? bytes : Number.POSITIVE_INFINITY;
}
