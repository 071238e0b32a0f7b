import path from 'node:path';
import { describeError } from '../../errors.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { listSome } from '../../text.ts';
import { fileNameOf } from './cache-folder.ts';
import { type FoundDigest, type Tree, withExecutables } from './digest.ts';
import type { DigestCache } from './digest-cache.ts';
import type { RecordedOutput } from './records.ts';
import type { Store } from './store.ts';
import { type Scan, scanTree } from './tree.ts';

/** An intact output of which the store lacks objects. */
export interface LostOutput {
  readonly output: RecordedOutput;
  readonly absolute: string;
  /** What the store lacks: files in the output, or the output itself for its list of files; relative to the project. */
  readonly names: readonly string[];
}

/**
 * An intact output of more files than this is not compared with the store file by file, which a run that has nothing to do would notice:
 * only whether its list is there. `repro cache verify` compares all.
 */
const filesAtMost = 1000;

/** What the store lacks of an intact output, by name and size: contents are checked when they are needed. */
export function listLost(
  store: Store,
  { kind, digest, path: output, executable = [] }: RecordedOutput,
  tree: Tree,
): string[] {
  if (tree.entries.length > filesAtMost) return store.hasTree(digest) ? [] : [output];
  const files = tree.entries
    .filter(({ sha256, size }) => !store.hasFile(sha256, size))
    .map((entry) => path.posix.join(output, entry.path));
  return kind === 'file' || store.hasTreeOf(digest, withExecutables(tree, executable))
    ? files
    : [...files, output];
}

/** Stores an output again. Its list has the files executable that the record names, whatever their modes are now. */
export function putAgain(
  store: Store,
  { executable = [] }: RecordedOutput,
  scan: Scan,
  temporary: string,
): Promise<FoundDigest> {
  const recorded = new Set(executable);
  const files = scan.files.map((file) => ({ ...file, executable: recorded.has(file.path) }));
  return store.put({ ...scan, files }, temporary);
}

interface StoredAgain {
  /** Whether an output changed although sizes and times are the same, and has to be looked at again. */
  readonly isAltered: boolean;
  readonly level: 'note' | 'warning';
  readonly text: string;
}

/** Stores intact outputs of an instance again. @param temporary the run's folder for incomplete files */
export async function storeAgain(
  { store, digests }: { readonly store: Store; readonly digests: DigestCache },
  id: string,
  lost: readonly LostOutput[],
  temporary: string,
): Promise<StoredAgain> {
  const names = listSome(lost.flatMap((one) => one.names));
  try {
    for (const { output, absolute } of lost) {
      const scan = await scanTree(absolute);
      const { digest } = await putAgain(store, output, scan, path.join(temporary, `again-${fileNameOf(id)}`));
      if (digest === output.digest) continue;
      for (const file of scan.files) digests.forget(file.absolute);
      const text = `${output.path} changed although size and mtime are the same; not in the store`;
      return { isAltered: true, level: 'warning', text };
    }
    return { isAltered: false, level: 'note', text: `re-stored from intact outputs: ${names}` };
  } catch (error) {
    const why = describeError(explainDiskError(error, { doing: 're-storing it' }));
    return { isAltered: false, level: 'warning', text: `could not re-store ${names}: ${why}` };
  }
}
