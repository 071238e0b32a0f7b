import fs from 'node:fs/promises';
import path from 'node:path';
import { fileNameOf } from '../cache/cache-folder.ts';
import type { Freshness } from '../fingerprint/freshness.ts';
import type { Session } from '../session.ts';
import { swapIn } from './output-files.ts';

/**
 * Puts the missing and altered outputs of an instance back from the store, and makes its record the last one.
 *
 * @param temporary a folder for incomplete files
 * @returns null, or why one could not be restored
 */
export async function restoreOutputs(
  session: Session,
  { record, damaged }: Extract<Freshness, { kind: 'restorable' }>,
  temporary: string,
): Promise<string | null> {
  const folder = path.join(temporary, `restore-${fileNameOf(record.id)}`);
  await fs.mkdir(folder, { recursive: true });
  await session.records.writeLast(record);
  for (const [i, { output }] of damaged.entries()) {
    const copy = path.join(folder, String(i));
    const result = await session.store.restore(output.kind, output.digest, output.sizeBytes, copy);
    if (result.kind !== 'restored') {
      return `${output.path} cannot be restored: its copy in the store is ${result.kind}`;
    }
    await swapIn(copy, path.resolve(session.plan.projectRoot, output.path), folder);
  }
  return null;
}
