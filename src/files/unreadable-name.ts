import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../errors.ts';
import { quoteWords } from './shell-words.ts';

/** What a byte that is not UTF-8 becomes in a name. */
const replacement = '\ufffd';

/**
 * Refuses a name that is not UTF-8: Node reads it with replacement characters, and no file is found under that name.
 *
 * Such names come from archives made on other systems. Reading them as bytes would not help: paths in records, in the store's lists, in
 * messages to stages and in JSON are text.
 *
 * @param name an entry of the folder, as text
 * @throws {ReproError} `file-name`, with the bytes
 */
export function refuseUnreadableName(folder: string, name: string): void {
  if (!name.includes(replacement)) return;
  if (lstatSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined) return;
  const bytes = readdirSync(folder, { encoding: 'buffer' }).find((one) => one.toString() === name);
  const shown = bytes === undefined ? name : escapeBytes(bytes);
  throw new ReproError('file-name', 'this file name is not valid UTF-8', {
    where: `${folder}${path.sep}${shown}`,
    fix: `Rename it; in bash: mv ${quoteWords([folder])}/$'${shown}' ${quoteWords([folder])}/NEW-NAME`,
  });
}

/** `caf\\xe9.txt`, as bash reads it within `$'…'`. A control character would act on the terminal. */
function escapeBytes(bytes: Buffer): string {
  const toHex = (one: string): string => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return bytes.toString('latin1').replace(/[^ -~]|['\\]/g, toHex);
}
