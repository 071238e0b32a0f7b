import { readFileSync, statSync } from 'node:fs';
import { ReproError } from '../../../base/errors.ts';
import { hashText } from '../../../base/files/canonical-json.ts';
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
  return {
    ok: true,
    addon,
    // Only on demand: it reads all sources.
    get isEarlierBuild() {
      const sources = digestSources(require);
      return sources !== undefined && sources !== addon.sourceDigest;
    },
  };
}

/** What computes is named by its bytes, whatever it says of itself: 12 hexadecimal digits, made of the sha256 of each file. */
export const nameDigests = (digests: readonly string[]): string => hashText(digests.join('\n')).slice(0, 12);

/**
 * As {@link nameDigests}, of the bytes that were loaded.
 *
 * @throws {ReproError} `engine-changed` if a file is no longer the one that was loaded
 */
export function nameLoaded({ files, stamp }: Pick<NativeAddon, 'files' | 'stamp'>): string {
  const digest = nameDigests(files.map((file) => hashText(readFileSync(file))));
  refuseReplaced({ files, stamp });
  return digest;
}

export function refuseReplaced({ files, stamp }: Pick<NativeAddon, 'files' | 'stamp'>): void {
  if (stampFiles(files) === stamp) return;
  throw new ReproError('engine-changed', 'the engine was replaced while it was loaded', {
    where: files[0],
    fix: 'Run again once `npm ci`, or whatever replaces it, has ended.',
  });
}

/** Tells whether files were replaced or written to. */
export function stampFiles(files: readonly string[]): string {
  const stats = files.map((file) => statSync(file, { bigint: true, throwIfNoEntry: false }));
  return stats.map((one) => [one?.ino, one?.size, one?.mtimeNs, one?.ctimeNs].join(' ')).join('\n');
}
