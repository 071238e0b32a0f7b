import path from 'node:path';
import process from 'node:process';

/** A path as a person would write it: relative where that is shorter to read, with `/`. */
export function showPath(target: string): string {
  const relative = path.relative(process.cwd(), target);
  const shown = relative === '' || relative.startsWith('..') ? target : relative;
  return shown.split(path.sep).join('/');
}

/** Shown if `dataset.root` was not found. */
export const RELATIVE_ROOT = 'A relative dataset.root is relative to the project folder';

/** ` --set dataset.root=DIR` for a command that should read `root`; empty if that is the profile's own value. */
export function rootOption(root: string, usual: string): string {
  if (path.resolve(root) === path.resolve(usual)) return '';
  const option = `dataset.root=${showPath(root)}`;
  return ` --set ${/^[\w@%+=:,./-]+$/.test(option) ? option : `'${option.replaceAll("'", "'\\''")}'`}`;
}
