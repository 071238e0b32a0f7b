import path from 'node:path';
import { cacheFolderOf, fileNameOf } from './cache-folder.ts';
import type { Plan } from './plan.ts';

/** Where an instance's stdout and stderr go, whether it has run or not. The run before is beside it, as `….previous.log`. */
export function logFileOf(plan: Plan, id: string, cacheRoot?: string): string {
  return path.join(cacheFolderOf(plan, cacheRoot).logs, `${fileNameOf(id)}.log`);
}
