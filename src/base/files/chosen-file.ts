import path from 'node:path';
import { ReproError } from '../errors.ts';
import { type Content, writeFileAtomic } from './atomic-file.ts';
import { explainDiskError } from './disk-error.ts';
import { kindOfPath } from './folders.ts';
import { quoteWords } from './shell-words.ts';

/**
 * Writes a file to the place that `--out` names, or to one of our own, in one step. A folder that does not exist is more likely a mistyped
 * one than one to make.
 *
 * @param file as given, relative to the working directory
 * @throws {ReproError} `output-exists` if it is there and `force` is not set; `output-nowhere` if it cannot be a file; `disk-…`
 */
export async function writeOutput(file: string, content: Content, force: boolean): Promise<void> {
  if (!force && (await kindOfPath(file)) === 'file') {
    const fix = 'Choose another with --out, or replace it with --force.';
    throw new ReproError('output-exists', 'this file already exists.', { where: file, fix });
  }
  const target = path.resolve(file);
  await assertPlace(target);
  await writeFileAtomic(target, content).catch((error: unknown) => {
    throw explainDiskError(error, { doing: '--out cannot be written' });
  });
}

/** @throws {ReproError} `usage` for another extension: `repro evaluate` and other programs tell formats apart by it */
export function requireEnding(file: string, format: string, fix: string): void {
  if (path.extname(file).toLowerCase() === `.${format}`) return;
  throw new ReproError('usage', `a ${format} file needs a name that ends in .${format}.`, {
    where: file,
    fix,
  });
}

async function assertPlace(target: string): Promise<void> {
  const folder = path.dirname(target);
  const refuse = (text: string, where: string, fix = 'Choose another place: --out FILE'): ReproError =>
    new ReproError('output-nowhere', `--out: ${text}`, { where, fix });
  if ((await kindOfPath(target)) === 'folder')
    throw refuse('expected a file to write, found a folder', target);
  const kind = await kindOfPath(folder);
  if (kind === 'file') throw refuse('expected a folder, found a file', folder);
  if (kind === 'folder') return;
  const fix = `Correct the path, or make the folder: mkdir -p ${quoteWords([folder])}`;
  throw refuse('this folder does not exist', folder, fix);
}
