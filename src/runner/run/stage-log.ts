import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode } from '../../base/errors.ts';
import { hashText } from '../../base/files/canonical-json.ts';
import { formatPlace } from '../../base/schema/problems.ts';
import { packageNameOf } from '../freshness/locked-packages.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
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

/** What Node says if a package, or a file of it, is not there; the importer is the bundle, which nobody wrote. */
const missingPackage =
  /Cannot find package '(?:[^']*\/node_modules\/)?([^']+?)(?:\/index\.js)?' imported from /;

/** With less than this left, hardly anything can be written. */
const fullBelowBytes = 256 * 1024;

/** Whether the disk of a folder is full. */
async function isDiskFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await fs.statfs(folder);
  return bavail * bsize < fullBelowBytes;
}

/**
 * How a stage's process failed, with the place to mend it where the process does not know that.
 *
 * @param temporary where it wrote
 */
export async function explainEnd(
  { plan, closures }: Session,
  { at, timeAt = at, commandAt = at, command }: StageInstance,
  { code, text }: { readonly code: string; readonly text: string },
  temporary: string,
): Promise<string> {
  // A program may have said no more than `I/O error`.
  if (await isDiskFull(temporary)) return `the disk is full: ${text}\n  Free some space, then run again.`;
  if (code === 'timeout') return `${formatPlace(timeAt)}  ${text}\n  Raise it.`;
  if (code === 'command-not-found') return `${formatPlace(commandAt)}  ${text}`;
  const [, specifier] = missingPackage.exec(text) ?? [];
  if (specifier === undefined || command.kind !== 'module') return text;
  const name = packageNameOf(specifier);
  const { files } = await closures.find(command.path);
  const places = Object.keys(files).flatMap((file) => {
    const lines = readFileSync(path.join(plan.projectRoot, file), 'utf8').split('\n');
    const line = lines.findIndex((one) => one.includes(`'${specifier}'`) || one.includes(`"${specifier}"`));
    return line < 0 ? [] : [`${file}:${line + 1}`];
  });
  return `${places[0] ?? command.path}  package "${name}" is not installed\n  npm ci, or npm install ${name} if package.json does not list it`;
}
