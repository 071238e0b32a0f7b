import { compileAddon, digestSources, loadExports } from '../../addon/load-addon.ts';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { ShapeError } from '../../snn/tensor.ts';
import { describeMemory } from '../memory-error.ts';
import type { NativeAddon } from './addon-types.ts';

/** The addon, or why there is none and how to get it; `reason` and `fix` are sentences, the reason without a full stop. */
export type LoadedAddon =
  | {
      readonly ok: true;
      readonly addon: NativeAddon;
      /** Whether it was compiled from other sources than those on disk. It stays in use until it is compiled again. */
      readonly isEarlierBuild: boolean;
    }
  | { readonly ok: false; readonly reason: string; readonly fix: string };

/** Loads what the native engine needs of the compiled addon. It never throws: a machine without a compiler is a result, not an error. */
export function loadAddon(require?: NodeJS.Require): LoadedAddon {
  const loaded = loadExports(require);
  if (!loaded.ok) return loaded;
  const addon = loaded.exports;
  if (!isAddon(addon))
    return { ok: false, reason: 'it lacks functions that this version needs', fix: compileAddon };
  const sources = digestSources(require);
  return { ok: true, addon, isEarlierBuild: sources !== undefined && sources !== addon.sourceDigest };
}

function isAddon(value: unknown): value is NativeAddon {
  if (typeof value !== 'object' || value === null) return false;
  const { sourceDigest, compiler, instructionSets, open, runNeurons } = value as Partial<NativeAddon>;
  return (
    typeof sourceDigest === 'string' &&
    typeof compiler === 'string' &&
    Array.isArray(instructionSets) &&
    instructionSets.length > 0 &&
    instructionSets.every((name) => typeof name === 'string') &&
    typeof open === 'function' &&
    typeof runNeurons === 'function'
  );
}

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

/** The addon does not count beyond 2⁵⁶. */
function addressable(bytes: number): number {
  return bytes < 2 ** 56 ? bytes : Number.POSITIVE_INFINITY;
}
