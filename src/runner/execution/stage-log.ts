import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';

/** What a terminal shows of a log after a failure. */
const tailLines = 20;

/** Enough for 20 lines of any length that a person reads. */
const tailBytes = 64 * 1024;

/** A longer line is output that was not meant to be read; its end says where it broke off. */
const lineLengthAtMost = 500;

/** Starts an instance's log with a line that says what it is of; the log of the run before is kept beside it. */
export async function startLog(file: string, header: string): Promise<void> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  try {
    await fs.rename(file, file.replace(/\.log$/, '.previous.log'));
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  await fs.writeFile(file, `# ${header}\n`);
}

/** The last lines of a log, without its first line; nothing if there is no log. */
export function readLogTail(file: string): string[] {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(0, size - tailBytes);
    const buffer = Buffer.alloc(size - start);
    const read = readSync(descriptor, buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, read).split('\n');
    if (lines.at(-1) === '') lines.pop();
    // The header; or a line that was cut, of which the end may be all there is.
    if (start === 0 || lines.length > 1) lines.shift();
    return lines.slice(-tailLines).map(shorten);
  } finally {
    closeSync(descriptor);
  }
}

/** What a terminal would have shown: of a progress bar that goes back to the start of its line, only the last state. */
function shorten(line: string): string {
  const shown = line.trimEnd().split('\r').at(-1) ?? '';
  return shown.length <= lineLengthAtMost ? shown : `…${shown.slice(1 - lineLengthAtMost)}`;
}
