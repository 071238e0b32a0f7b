import { compileAddon, digestSources, loadExports } from '../../addon/load-addon.ts';
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
    return { ok: false, reason: 'it lacks what this version needs of it', fix: compileAddon };
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
