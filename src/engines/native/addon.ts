import { createRequire } from 'node:module';
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

const packageName = 'plif-native';
const compileIt = 'Run `npm run build:native`, which compiles it or tells what is missing for that.';

/** Loads the compiled addon. It never throws: a machine without a compiler is a result, not an error. */
export function loadAddon(require: NodeJS.Require = createRequire(import.meta.url)): LoadedAddon {
  try {
    require.resolve(`${packageName}/package.json`);
  } catch {
    return { ok: false, reason: `${packageName} is not installed`, fix: 'Run `npm ci`.' };
  }
  try {
    const addon: unknown = require(packageName);
    if (isAddon(addon)) {
      const sources = digestSources(require);
      return { ok: true, addon, isEarlierBuild: sources !== undefined && sources !== addon.sourceDigest };
    }
    return { ok: false, reason: 'it lacks what this version needs of it', fix: compileIt };
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '').trim() : String(error);
    const reason = /^No native build was found/.test(message)
      ? 'it is not compiled'
      : `it does not load (${message})`;
    return { ok: false, reason, fix: compileIt };
  }
}

/** The digest of the addon's sources on disk, which differs from the addon's own if they were changed since; undefined without sources. */
export function digestSources(require: NodeJS.Require = createRequire(import.meta.url)): string | undefined {
  try {
    const { sourceDigest } = require(`${packageName}/source-digest`) as { sourceDigest: () => string };
    return sourceDigest();
  } catch {
    return undefined;
  }
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
