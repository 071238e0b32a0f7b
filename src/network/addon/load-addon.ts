import { createRequire } from 'node:module';
import { firstLineOf, hasErrorCode } from '../../base/errors.ts';

/** The compiled addon's exports, or why there are none and how to get them; `reason` and `fix` are sentences, the reason without a full stop. */
type LoadedExports =
  | { readonly ok: true; readonly exports: unknown }
  | { readonly ok: false; readonly reason: string; readonly fix: string };

const packageName = 'plif-native';
export const compileAddon =
  'Run `npm run build:native`, which compiles it or tells what is missing for that.';

/** Loads the compiled addon. It never throws: a machine without a compiler is a result, not an error. */
export function loadExports(require: NodeJS.Require = createRequire(import.meta.url)): LoadedExports {
  try {
    require.resolve(`${packageName}/package.json`);
  } catch {
    return { ok: false, reason: `${packageName} is not installed`, fix: 'Run `npm ci`.' };
  }
  try {
    return { ok: true, exports: require(packageName) };
  } catch (error) {
    const isMissing = hasErrorCode(error, 'MODULE_NOT_FOUND');
    const reason = isMissing ? 'it is not compiled' : `it does not load (${firstLineOf(error)})`;
    return { ok: false, reason, fix: compileAddon };
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
