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

/** `caf\xe9.txt`: the parts that are UTF-8 as text, the other bytes in hexadecimal, as bash reads them within `$'…'`. */
function escapeBytes(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes, at);
    const one = bytes.subarray(at, at + Math.max(1, length));
    // A control character would act on the terminal.
    const isPlain = length > 0 && !/[\p{Cc}'\\]/u.test(one.toString());
    text += isPlain ? one.toString() : [...one].map(toHex).join('');
    at += one.length;
  }
  return text;
}

/** The number of bytes of the UTF-8 character at a position, or 0 if there is none. */
function lengthOfCharacter(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    if (
      !bytes
        .subarray(at, at + length)
        .toString()
        .includes(replacement)
    )
      return length;
  }
  return 0;
}

function toHex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
