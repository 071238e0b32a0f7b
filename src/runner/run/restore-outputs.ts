import fs from 'node:fs/promises';
import path from 'node:path';
import { listSome } from '../../text.ts';

import type { Session } from '../session.ts';
import { fileNameOf } from '../store/cache-folder.ts';
import type { RecordedOutput } from '../store/records.ts';
import { swapIn } from './output-files.ts';
import { setAside } from './set-aside.ts';

/**
 * Puts outputs of an instance in place from the store. What runs had left there is removed.
 *
 * @param temporary a folder for incomplete files
 * @param tell takes what {@link setAside} tells
 * @returns null, or why one could not be restored
 */
export async function restoreOutputs(
  session: Session,
  id: string,
  outputs: readonly RecordedOutput[],
  temporary: string,
  tell: (text: string) => void,
): Promise<string | null> {
  const folder = path.join(temporary, `restore-${fileNameOf(id)}`);
  const copyOf = (i: number): string => path.join(folder, String(i));
  await fs.mkdir(folder, { recursive: true });
  for (const [i, output] of outputs.entries()) {
    const { kind, digest, sizeBytes } = output;
    const result = await session.store.restore(kind, digest, sizeBytes, copyOf(i));
    if (result.kind === 'restored') continue;
    const names = result.files.map((file) => `${output.path}/${file}`);
    const state = result.kind === 'absent' ? 'missing' : 'damaged';
    return names.length > 1
      ? `${listSome(names)}: their copies in the store are ${state}`
      : `${names[0] ?? output.path}: its copy in the store is ${state}`;
  }
  const told = await setAside(session, outputs);
  if (told !== null) tell(told);
  for (const [i, output] of outputs.entries())
    await swapIn(copyOf(i), path.resolve(session.plan.projectRoot, output.path), folder);
  return null;
}
