import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../errors.ts';
import { hashText } from '../../files/canonical-json.ts';
import type { Store } from '../store/store.ts';

const tailLines = 20;

/** Enough for 20 lines of any readable length. */
const tailBytes = 64 * 1024;

/** Far above the log of a training, which has a line of about 100 bytes an epoch. */
const keptLogBytesAtMost = 64 * 1024 * 1024;

/** A longer line was not meant to be read; its end shows where it broke off. */
const lineLengthAtMost = 500;

/**
 * What the GPU package prints for each time that a GPU is looked for, on some of them, whatever it is asked for: it has no switch. A
 * failure's last lines have no room for it; the log has it.
 */
const idleWarning = /^Warning: maxDynamic(Uniform|Storage)BuffersPerPipelineLayout artificially reduced /;

/** Starts an instance's log with a header line; the previous run's log is kept beside it. */
export async function startLog(file: string, header: string): Promise<void> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  try {
    await fs.rename(file, file.replace(/\.log$/, '.previous.log'));
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
  await fs.writeFile(file, `# ${header}\n`);
}

/**
 * Stores the log of a run that ended well, so that it stays with the result.
 *
 * @returns its sha256; null if it could not be stored, or is too large: the result is complete without it
 */
export async function keepLog(file: string, store: Store): Promise<string | null> {
  try {
    if ((await fs.stat(file)).size > keptLogBytesAtMost) return null;
    const bytes = await fs.readFile(file);
    const sha256 = hashText(bytes);
    if (!store.hasFile(sha256)) await store.keepFile(sha256, bytes);
    return sha256;
  } catch {
    return null;
  }
}

/** The last lines of a log, without its header and idle warnings; empty if there is no log. */
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
    // The header, or a line that was cut, whose end may be all there is.
    if (start === 0 || lines.length > 1) lines.shift();
    return lines
      .filter((line) => !idleWarning.test(line))
      .slice(-tailLines)
      .map(shorten);
  } finally {
    closeSync(descriptor);
  }
}

/** What a terminal would have shown: only the last state of a progress bar that returns to the start of its line. */
function shorten(line: string): string {
  const shown = line.trimEnd().split('\r').at(-1) ?? '';
  return shown.length <= lineLengthAtMost ? shown : `…${shown.slice(1 - lineLengthAtMost)}`;
}
