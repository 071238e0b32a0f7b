import path from 'node:path';
import type { PathDigest, Tree, TreeEntry } from './digest.ts';
import type { RecordedOutput } from './records.ts';
import type { Store } from './store.ts';

export type LostObject =
  | {
      readonly kind: 'file';
      readonly sha256: string;
      readonly from: string;
      /** What it is part of, relative to the project. */
      readonly name: string;
    }
  | { readonly kind: 'tree'; readonly digest: string; readonly tree: Tree; readonly name: string };

export interface InspectedOutput {
  readonly output: RecordedOutput;
  readonly absolute: string;
  readonly found: PathDigest | { readonly kind: 'altered' };
  /** Whether that is the output, byte by byte. */
  readonly isIntact: boolean;
}

interface LostAndGone {
  readonly lost: readonly LostObject[];
  /** Outputs that are not intact, and cannot be restored: some of their bytes are nowhere. */
  readonly gone: ReadonlySet<RecordedOutput>;
}

/**
 * An intact output of more files than this is not compared with the store file by file, which a run that has nothing to do would notice:
 * only whether its list is there. `repro cache verify` compares all.
 */
const filesAtMost = 1000;

/** Finds what the store lacks of outputs, by name and size: its content is checked when it is needed. */
export async function findLost(
  store: Store,
  projectRoot: string,
  inspected: readonly InspectedOutput[],
): Promise<LostAndGone> {
  const lost: LostObject[] = [];
  const gone = new Set<RecordedOutput>();
  for (const { output, absolute, found, isIntact } of inspected) {
    if (isIntact && 'tree' in found) lost.push(...findLostOfIntact(store, output, absolute, found.tree));
  }
  const damaged = inspected.filter(({ isIntact }) => !isIntact);
  if (damaged.length === 0) return { lost: onceEach(lost), gone };
  const inPlace = listInPlace(inspected);
  for (const { output } of damaged) {
    const tree = await store.treeFor(output.kind, output.digest, output.sizeBytes);
    const lacking = tree === null ? null : listLacking(store, tree);
    const copies = lacking?.map(({ sha256 }) => ({ sha256, from: inPlace.get(sha256) }));
    if (copies === undefined || copies.some(({ from }) => from === undefined)) gone.add(output);
    for (const { sha256, from } of copies ?? []) {
      if (from === undefined) continue;
      const name = path.relative(projectRoot, from).split(path.sep).join('/');
      lost.push({ kind: 'file', sha256, from, name });
    }
  }
  return { lost: onceEach(lost), gone };
}

/** Several outputs may have the same content, which the store has once. */
function onceEach(lost: readonly LostObject[]): readonly LostObject[] {
  const seen = new Set<string>();
  return lost.filter((one) => {
    const name = one.kind === 'file' ? one.sha256 : one.digest;
    const isNew = !seen.has(name);
    seen.add(name);
    return isNew;
  });
}

function findLostOfIntact(store: Store, output: RecordedOutput, absolute: string, tree: Tree): LostObject[] {
  const { digest, kind, path: name } = output;
  if (kind === 'file') {
    return store.lacksFile(digest, output.sizeBytes)
      ? [{ kind: 'file', sha256: digest, from: absolute, name }]
      : [];
  }
  if (tree.entries.length > filesAtMost) {
    return store.hasTree(digest) ? [] : [{ kind: 'tree', digest, tree, name }];
  }
  const files = listLacking(store, tree).map(
    ({ sha256, path: relative }): LostObject => ({
      kind: 'file',
      sha256,
      from: path.join(absolute, relative),
      name: `${name}/${relative}`,
    }),
  );
  return store.lacksTree(digest, tree) ? [...files, { kind: 'tree', digest, tree, name }] : files;
}

export function listLacking(store: Store, tree: Tree): TreeEntry[] {
  const lacking = tree.entries.filter(({ sha256, size }) => store.lacksFile(sha256, size));
  return [...new Map(lacking.map((entry) => [entry.sha256, entry])).values()];
}

/** Where there is which content now: sha256 -> absolute. */
function listInPlace(inspected: readonly InspectedOutput[]): ReadonlyMap<string, string> {
  return new Map(
    inspected.flatMap(({ absolute, found }) =>
      'tree' in found
        ? found.tree.entries.map((entry) => [entry.sha256, path.join(absolute, entry.path)] as const)
        : [],
    ),
  );
}
