import path from 'node:path';
import process from 'node:process';

/** A path as a person would write it: relative where that is shorter to read, with `/`. */
export function showPath(target: string): string {
  const relative = path.relative(process.cwd(), target);
  const shown = relative === '' || relative.startsWith('..') ? target : relative;
  return shown.split(path.sep).join('/');
}
