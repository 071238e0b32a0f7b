import fs from 'node:fs/promises';
import path from 'node:path';
import { fileNameOf } from '../cache/cache-folder.ts';
import type { RecordedOutput } from '../cache/records.ts';
import { nameSome } from '../fingerprint/reasons.ts';
import type { Session } from '../session.ts';
import { swapIn } from './output-files.ts';

/**
 * Puts outputs of an instance in place from the store; what is there is removed.
 *
 * @param temporary a folder for incomplete files
 * @returns null, or why one could not be restored
 */
export async function restoreOutputs(
  session: Session,
  id: string,
  outputs: readonly RecordedOutput[],
  temporary: string,
): Promise<string | null> {
  const folder = path.join(temporary, `restore-${fileNameOf(id)}`);
  await fs.mkdir(folder, { recursive: true });
  for (const [i, output] of outputs.entries()) {
    const copy = path.join(folder, String(i));
    const result = await session.store.restore(output.kind, output.digest, output.sizeBytes, copy);
    if (result.kind !== 'restored') {
      const names = result.files.map((file) => `${output.path}/${file}`);
      const state = result.kind === 'absent' ? 'missing' : 'damaged';
      return names.length > 1
        ? `${nameSome(names)}: their copies in the store are ${state}`
        : `${names[0] ?? output.path}: its copy in the store is ${state}`;
    }
    await swapIn(copy, path.resolve(session.plan.projectRoot, output.path), folder);
  }
  return null;
}
