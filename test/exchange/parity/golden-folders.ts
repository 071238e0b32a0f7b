import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import {
  type CaseFolder,
  indexFile,
  openCaseFolder,
  parseIndex,
} from '../../../src/exchange/parity/given-case.ts';

/** The committed folders of vectors: the original's, and plain PyTorch's for what the original's lack. */
export const goldenFolders = ['golden', 'golden/torch'] as const;

export function openGolden(name: (typeof goldenFolders)[number]): Promise<CaseFolder> {
  return openCaseFolder(fileURLToPath(new URL(`../../${name}`, import.meta.url)));
}

/** The kind of each case, by its name. */
export async function kindsOf(folder: CaseFolder): Promise<ReadonlyMap<string, string>> {
  const { cases } = parseIndex(await folder.read(indexFile));
  return new Map(
    [...cases].map(([name, description]) => [
      name,
      v.parse(v.object({ kind: v.string() }), description).kind,
    ]),
  );
}

/** The cases that an engine computes. */
export async function listComputed(folder: CaseFolder): Promise<string[]> {
  const kinds = [...(await kindsOf(folder))];
  return kinds.flatMap(([name, kind]) => (['neuron', 'network'].includes(kind) ? [name] : []));
}
