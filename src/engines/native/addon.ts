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
  const addon = loaded.exports as NativeAddon;
  // An earlier build may lack some.
  if (typeof addon?.open !== 'function' || typeof addon.runNeurons !== 'function')
    return { ok: false, reason: 'it lacks functions that this version needs', fix: compileAddon };
  const sources = digestSources(require);
  return { ok: true, addon, isEarlierBuild: sources !== undefined && sources !== addon.sourceDigest };
}
