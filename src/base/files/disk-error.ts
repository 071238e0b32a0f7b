import { existsSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../errors.ts';

const access = 'Make it readable and writable for you (ls -l shows the owner), then run again.';

const explanations: Readonly<Record<string, readonly [text: string, fix: string]>> = {
  ENOSPC: ['the disk is full', 'Free some space, then run again.'],
  EDQUOT: ['your disk quota is used up', 'Free some space or ask for more, then run again.'],
  EROFS: [
    'the file system is read-only',
    'Mount it writable, or work in a writable copy of the project, then run again.',
  ],
  EACCES: ['permission is denied', access],
  EPERM: ['the operation is not permitted', access],
  EXDEV: [
    'this would be moved to another disk',
    'Mount all of artifacts/ instead of a folder in it, then run again.',
  ],
  EMFILE: ['too many files are open', 'Raise the limit (ulimit -n 4096), then run again.'],
  ENAMETOOLONG: [
    'the name is too long for this file system',
    'Use shorter names, or a shorter path to the project.',
  ],
  EIO: ['the disk reports an error', 'Check the disk: the data on it may be damaged.'],
};

/**
 * Gives file system errors a readable message and a fix; any other error is returned unchanged.
 *
 * @param options.doing what was being done, if the reader cannot tell
 * @param options.keepsWork whether a second attempt continues from what this one finished, as a run of stages does
 */
export function explainDiskError(
  error: unknown,
  { doing, keepsWork = false }: { readonly doing?: string; readonly keepsWork?: boolean } = {},
): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof ReproError) return error;
  const explanation = explanations[String(error.code)];
  if (explanation === undefined) return error;
  const [text, remedy] = explanation;
  const fix = keepsWork
    ? remedy.replace(/then run again\.$/, 'then run again: finished work is kept.')
    : remedy;
  const named = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  const isAboutAccess = ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code));
  const where = named !== undefined && isAboutAccess ? nearestThere(named) : named;
  const sentence = `${doing === undefined ? '' : `${doing}: `}${text} (${error.code})`;
  return new ReproError(`disk-${String(error.code).toLowerCase()}`, sentence, { where, fix, cause: error });
}

/** The path that refused access: for something that could not be made, the nearest folder that exists. */
function nearestThere(target: string): string {
  const parent = path.dirname(target);
  return existsSync(target) || parent === target ? target : nearestThere(parent);
}
