import path from 'node:path';

/** Whether an absolute path is inside a folder. */
export function isBelow(absolute: string, folder: string): boolean {
  return absolute.startsWith(folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`);
}

/** Whether an absolute path is a folder, or inside it. */
export function isAtOrBelow(absolute: string, folder: string): boolean {
  return absolute === folder || isBelow(absolute, folder);
}
