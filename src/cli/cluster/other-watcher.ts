import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { CacheFolder } from '../../runner/store/cache-folder.ts';

/** Of a run that another keeps out while jobs are on a cluster: what can be done then, which depends on that. */
export async function explainOtherWatcher<T>({ lock }: CacheFolder, watch: () => Promise<T>): Promise<T> {
  try {
    return await watch();
  } catch (error) {
    const isHeld = error instanceof ReproError && error.code === 'locked';
    if (!isHeld || path.dirname(error.where ?? '') !== lock) throw error;
    throw new ReproError('locked', error.message, {
      where: error.where,
      fix:
        'One terminal watches the jobs of a project; `./repro status` shows them in any other. Stopping that run (Ctrl-C) leaves them alone; ' +
        'then `./repro attach` watches them here.',
      cause: error,
    });
  }
}
