import { randomUUID } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { syncTree } from '../../base/files/atomic-file.ts';
import { formatPlace } from '../../base/schema/problems.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import { executablesOf } from '../store/digest.ts';
import { replaceOutputs, swapIn } from '../store/outputs-in-place.ts';
import type { RecordedOutput } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { isSameStamp, type Scan, scanTree } from '../store/tree.ts';

interface TakenOutput {
  readonly recorded: RecordedOutput;
  readonly temporary: string;
  readonly scan: Scan;
  readonly hashes: readonly string[];
  readonly hashedAtMs: number;
}

/** Moves a stage's outputs into the store. @throws {ReproError} `output-missing` if the stage did not write one */
export async function takeOutputs(
  instance: StageInstance,
  written: readonly string[],
  store: Store,
  temporary: string,
): Promise<TakenOutput[]> {
  const taken: TakenOutput[] = [];
  for (const [i, output] of instance.outputs.entries()) {
    const from = written[i] ?? '';
    const hashedAtMs = Date.now();
    const scan = await scanWritten(from).catch((error: unknown) => {
      throw placeInOutput(error, from, output);
    });
    if (scan.kind === 'missing') {
      throw new ReproError('output-missing', `the stage ended without writing its output "${output}"`, {
        where: formatPlace(instance.at),
        fix: `Write it to context.outputs[${i}] (in a command: $REPRO_OUTPUT_${i}), or remove it from \`outputs:\`.`,
      });
    }
    const stored = await store.put(scan, path.join(temporary, `store-${i}`));
    const { kind, digest, sizeBytes, files } = stored;
    const executable = kind === 'folder' ? executablesOf(stored.tree) : [];
    const modes = executable.length > 0 ? { executable } : {};
    const recorded = { path: output, kind, digest, sizeBytes, files, ...modes };
    const hashes = stored.tree.entries.map((entry) => entry.sha256);
    taken.push({ recorded, temporary: from, scan, hashes, hashedAtMs });
  }
  return taken;
}

/** Names what is wrong in an output by the path that it was to have, which its author knows; the temporary one is gone by then. */
function placeInOutput(error: unknown, from: string, output: string): unknown {
  if (!(error instanceof ReproError) || error.where?.startsWith(from) !== true) return error;
  return new ReproError(error.code, error.message, {
    where: `${output}${error.where.slice(from.length)}`,
    fix: 'The stage wrote it: outputs may consist of files, folders and links to them, with names in UTF-8.',
    cause: error,
  });
}

/** Links into the temporary folder would dangle once the output is in place, so they become what they point to. */
async function scanWritten(target: string): Promise<Scan> {
  if ((await fs.lstat(target).catch(() => null))?.isSymbolicLink()) await replaceLink(target);
  const scan = await scanTree(target);
  if (scan.links.length === 0) return scan;
  for (const entry of await fs.readdir(target, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) await replaceLink(path.join(entry.parentPath, entry.name));
  }
  return scanTree(target);
}

/** @throws {ReproError} `broken-link`, `link-loop` */
async function replaceLink(link: string): Promise<void> {
  const real = await fs.realpath(link).catch((cause: unknown) => {
    const isLoop = hasErrorCode(cause, 'ELOOP');
    if (!isLoop && !hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    const text = `this symbolic link points ${isLoop ? 'back to itself' : 'to nothing'}`;
    throw new ReproError(isLoop ? 'link-loop' : 'broken-link', text, { where: link, cause });
  });
  const copy = `${link}.${randomUUID()}`;
  await fs.cp(real, copy, { recursive: true, dereference: true });
  await fs.rm(link);
  await fs.rename(copy, link);
}

/**
 * Moves outputs into place, each in one step, and remembers their hashes. What runs had left there is removed.
 *
 * @returns what to tell people; null if nothing
 */
export function installOutputs(
  session: Session,
  taken: readonly TakenOutput[],
  temporary: string,
): Promise<string | null> {
  const recorded = taken.map((output) => output.recorded);
  return replaceOutputs(session, recorded, async (told) => {
    for (const output of taken) await installOutput(session, output, temporary);
    return told;
  });
}

async function installOutput(session: Session, output: TakenOutput, temporary: string): Promise<void> {
  await syncTree(output.temporary);
  const target = path.resolve(session.plan.projectRoot, output.recorded.path);
  await swapIn(output.temporary, target, temporary);
  const installed = await scanTree(target);
  installed.files.forEach((file, i) => {
    const before = output.scan.files[i];
    // A moved file has a new change time; everything else must be as it was when hashed.
    const isSame =
      before?.path === file.path &&
      isSameStamp(before.stamp, { ...file.stamp, ctimeNs: before.stamp.ctimeNs });
    if (isSame)
      session.digests.remember(file.absolute, file.stamp, output.hashes[i] ?? '', output.hashedAtMs);
  });
}
