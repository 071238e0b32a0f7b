import { isJsonObject } from '../../schema/json.ts';
import type { PathDigest, Tree } from '../files/digest.ts';
import type { Json, StageCommand } from '../plan.ts';
import type { FingerprintParts } from './fingerprint.ts';
import type { InputPart } from './input-digests.ts';

/** The content of inputs, then and now, to name the exact file that differs; null if unknown. */
export interface InputTrees {
  before(digest: string): Promise<Tree | null>;
  now(input: InputPart): Promise<PathDigest | null>;
}

export type Change = 'changed' | 'new' | 'gone';

export interface FileChange {
  readonly path: string;
  readonly change: Change;
  /** sha256 of the content, if known; of what the file does, for source files. */
  readonly before: string | null;
  readonly now: string | null;
}

/** One part of two fingerprints that differs, with both values. */
export type Difference =
  | { readonly kind: 'command' | 'outputs'; readonly before: string; readonly now: string }
  | ({ readonly kind: 'code' } & FileChange)
  | {
      readonly kind: 'package' | 'variable' | 'fact' | 'runtime';
      readonly name: string;
      /** null: not there, not set. */
      readonly before: string | null;
      readonly now: string | null;
    }
  | {
      readonly kind: 'param';
      /** `train.epochs`; a matrix variable by its name. */
      readonly name: string;
      /** undefined: not set. */
      readonly before: Json | undefined;
      readonly now: Json | undefined;
    }
  | {
      readonly kind: 'input';
      readonly path: string;
      readonly change: Change | 'missing' | 'now-exists' | 'not-read' | 'reordered';
      /** For a folder: what differs in it. Empty if unknown. */
      readonly files: readonly FileChange[];
      /** Whether `files` are outputs of other stages, by their paths in the project. */
      readonly ofOutputs: boolean;
      readonly before: string | null;
      readonly now: string | null;
    };

/** Lists the differences between two fingerprints' parts, in the order of the parts. */
export async function findDifferences(
  before: FingerprintParts,
  now: FingerprintParts,
  trees: InputTrees,
): Promise<Difference[]> {
  return [
    ...diffTexts('command', describeCommand(before.command), describeCommand(now.command)),
    ...diffHashes(before.code, now.code).map((one) => ({ kind: 'code', ...one }) as const),
    ...diffValues('package', before.packages, now.packages),
    ...diffJson(before.params, now.params),
    ...diffJson(before.matrix, now.matrix),
    ...(await diffInputs(before.inputs, now.inputs, trees)),
    ...diffTexts('outputs', before.outputs.join(', '), now.outputs.join(', ')),
    ...diffValues('variable', before.variables, now.variables),
    ...diffValues('fact', before.facts, now.facts),
    ...diffValues('runtime', before.runtime, now.runtime),
  ];
}

function diffTexts(kind: 'command' | 'outputs', before: string, now: string): Difference[] {
  return before === now ? [] : [{ kind, before, now }];
}

function describeCommand(command: StageCommand): string {
  return command.kind === 'module'
    ? command.path
    : command.argv.map((word) => JSON.stringify(word)).join(' ');
}

async function diffInputs(
  before: readonly InputPart[],
  now: readonly InputPart[],
  trees: InputTrees,
): Promise<Difference[]> {
  const found: Difference[] = [];
  const isPlaced = before.length === now.length;
  const bare = { files: [], ofOutputs: false } as const;
  for (const [i, input] of now.entries()) {
    // An external input may have moved; it is then the one at the same position in the list.
    const old =
      before.find((one) => one.path === input.path) ??
      (isPlaced && input.external && before[i]?.external === true ? before[i] : undefined);
    if (old === undefined) {
      found.push({
        kind: 'input',
        path: input.path,
        change: 'new',
        ...bare,
        before: null,
        now: input.digest,
      });
    } else if (input.digest !== null && old.digest !== input.digest) {
      found.push(await diffInput(old, input, trees));
    }
  }
  for (const old of before) {
    const isKept = now.some(
      (input, i) => input.path === old.path || (isPlaced && input.external && before[i] === old),
    );
    if (!isKept) {
      found.push({
        kind: 'input',
        path: old.path,
        change: 'not-read',
        ...bare,
        before: old.digest,
        now: null,
      });
    }
  }
  const moved =
    found.length === 0 ? before.find((old, i) => old.path !== now[i]?.path && !old.external) : undefined;
  if (moved !== undefined) {
    found.push({
      kind: 'input',
      path: moved.path,
      change: 'reordered',
      ...bare,
      before: moved.digest,
      now: moved.digest,
    });
  }
  return found;
}

async function diffInput(before: InputPart, now: InputPart, trees: InputTrees): Promise<Difference> {
  const base = {
    kind: 'input',
    path: now.path,
    files: [],
    ofOutputs: false,
    before: before.digest,
    now: now.digest,
  } as const;
  if (now.digest === 'missing') return { ...base, change: 'missing' };
  if (before.digest === 'missing') return { ...base, change: 'now-exists' };
  if (before.of !== undefined && now.of !== undefined) {
    const files = diffHashes(before.of, now.of);
    if (files.length > 0) return { ...base, change: 'changed', files, ofOutputs: true };
  }
  const [old, present] = [await trees.before(before.digest ?? ''), await trees.now(now)];
  if (old === null || present === null || present.kind !== 'folder') return { ...base, change: 'changed' };
  return { ...base, change: 'changed', files: diffHashes(hashesOf(old), hashesOf(present.tree)) };
}

function hashesOf(tree: Tree): Record<string, string> {
  return Object.fromEntries(tree.entries.map((entry) => [entry.path, entry.sha256]));
}

type Hashes = Readonly<Record<string, string>>;

/** Changed and new files in the order of `now`, then those that are gone. */
function diffHashes(before: Hashes, now: Hashes): FileChange[] {
  return [
    ...Object.entries(now)
      .filter(([name, hash]) => before[name] !== hash)
      .map(([name, hash]): FileChange => {
        const old = before[name] ?? null;
        return { path: name, change: old === null ? 'new' : 'changed', before: old, now: hash };
      }),
    ...Object.entries(before)
      .filter(([name]) => now[name] === undefined)
      .map(([name, hash]): FileChange => ({ path: name, change: 'gone', before: hash, now: null })),
  ];
}

type Values = Readonly<Record<string, string | null>>;

function diffValues(
  kind: 'package' | 'variable' | 'fact' | 'runtime',
  before: Values,
  now: Values,
): Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .map((name) => ({ kind, name, before: before[name] ?? null, now: now[name] ?? null }))
    .filter((one) => one.before !== one.now);
}

/** One difference for every leaf. */
function diffJson(before: Json | undefined, now: Json | undefined, name = ''): Difference[] {
  if (isJsonObject(before) && isJsonObject(now)) {
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
      diffJson(before[key], now[key], name === '' ? key : `${name}.${key}`),
    );
  }
  return JSON.stringify(before) === JSON.stringify(now) ? [] : [{ kind: 'param', name, before, now }];
}
