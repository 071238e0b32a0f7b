import { canonicalJson } from '../../files/canonical-json.ts';
import { getOwn, isJsonList, isJsonObject, type Json } from '../../schema/json.ts';
import type { StageCommand } from '../plan/plan.ts';
import type { PathDigest, Tree } from '../store/digest.ts';
import type { FingerprintParts, InputPart } from '../store/fingerprint-parts.ts';

export type Difference =
  | { readonly kind: 'command' | 'outputs'; readonly before: string; readonly now: string }
  | ({ readonly kind: 'code' } & FileChange)
  | {
      readonly kind: 'package' | 'variable' | 'fact' | 'runtime';
      readonly name: string;
      /** Of the declaration too: a variable that is not set may be new. */
      readonly change: Change;
      /** null: not there, not set. */
      readonly before: string | null;
      readonly now: string | null;
    }
  /** `train.epochs`; a matrix variable by its name. */
  | ({ readonly kind: 'param' } & JsonDifference)
  | InputDifference;

export async function findDifferences(
  before: FingerprintParts,
  now: FingerprintParts,
  trees: InputTrees,
): Promise<Difference[]> {
  return [
    ...diffTexts('command', describeCommand(before.command), describeCommand(now.command)),
    ...diffHashes(before.code, now.code).map((one) => ({ kind: 'code', ...one }) as const),
    ...diffValues('package', before.packages, now.packages),
    ...diffJson(before.params, now.params).map((one) => ({ kind: 'param', ...one }) as const),
    ...diffJson(before.matrix, now.matrix).map((one) => ({ kind: 'param', ...one }) as const),
    ...(await diffInputs(before.inputs, now.inputs, trees)),
    ...diffTexts('outputs', describeOutputs(before.outputs), describeOutputs(now.outputs)),
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

/** Paths may contain commas. */
function describeOutputs(outputs: readonly string[]): string {
  return outputs.some((one) => one.includes(',')) ? canonicalJson(outputs) : outputs.join(', ');
}

type Values = Readonly<Record<string, string | null>>;

function diffValues(
  kind: 'package' | 'variable' | 'fact' | 'runtime',
  before: Values,
  now: Values,
): Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name): Difference[] => {
    const [old, present] = [getOwn(before, name), getOwn(now, name)];
    if (old === present) return [];
    const change = old === undefined ? 'new' : present === undefined ? 'gone' : 'changed';
    return [{ kind, name, change, before: old ?? null, now: present ?? null }];
  });
}

interface JsonDifference {
  /** `train.epochs`, `layers[0].kind`; empty for the value itself. */
  readonly name: string;
  /** undefined: not there. */
  readonly before: Json | undefined;
  readonly now: Json | undefined;
}

/** Whether two values are the same for a fingerprint: the order of keys does not count, but null is not the same as nothing. */
export function isSameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return canonicalJson(a) === canonicalJson(b);
}

/** The smallest parts of two values that differ; a list is one part, unless `intoLists`. */
export function diffJson(
  before: Json | undefined,
  now: Json | undefined,
  { intoLists = false, name = '' }: { readonly intoLists?: boolean; readonly name?: string } = {},
): JsonDifference[] {
  if (isJsonObject(before) && isJsonObject(now)) {
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
      diffJson(getOwn(before, key), getOwn(now, key), {
        intoLists,
        name: name === '' ? key : `${name}.${key}`,
      }),
    );
  }
  if (intoLists && isJsonList(before) && isJsonList(now)) {
    return Array.from({ length: Math.max(before.length, now.length) }, (_, i) => i).flatMap((i) =>
      diffJson(before[i], now[i], { intoLists, name: `${name}[${i}]` }),
    );
  }
  return isSameJson(before, now) ? [] : [{ name, before, now }];
}

/** The content of inputs, then and now, to name the exact file that differs; null if unknown. */
export interface InputTrees {
  before(digest: string): Promise<Tree | null>;
  now(input: InputPart): Promise<PathDigest | null>;
}

type Change = 'changed' | 'new' | 'gone';

export interface FileChange {
  readonly path: string;
  readonly change: Change;
  /** sha256 of the content, if known; of what the file does, for source files. */
  readonly before: string | null;
  readonly now: string | null;
}

export interface InputDifference {
  readonly kind: 'input';
  readonly path: string;
  readonly change:
    | Exclude<Change, 'gone'>
    | 'missing'
    | 'now-exists'
    | 'not-read'
    | 'now-external'
    | 'not-external'
    | 'reordered';
  /** For a folder: what differs in it. Empty if unknown. */
  readonly files: readonly FileChange[];
  /** Whether `files` are outputs of other stages, by their paths in the project. */
  readonly ofOutputs: boolean;
  readonly before: string | null;
  readonly now: string | null;
}

/** Lists the inputs that differ in content, those that came or went, and whether they are in another order. */
async function diffInputs(
  before: readonly InputPart[],
  now: readonly InputPart[],
  trees: InputTrees,
): Promise<InputDifference[]> {
  const olds = pairInputs(before, now);
  const found: InputDifference[] = [];
  for (const [i, input] of now.entries()) {
    const old = before[olds[i] ?? -1];
    if (old === undefined) {
      found.push({ ...bare(input), change: 'new', now: input.digest });
    } else if (input.digest !== null && old.digest !== input.digest) {
      found.push(await diffInput(old, input, trees));
    } else if (old.external !== input.external) {
      const change = input.external ? 'now-external' : 'not-external';
      found.push({ ...bare(input), change, before: old.digest, now: input.digest });
    }
  }
  for (const [i, old] of before.entries()) {
    if (!olds.includes(i)) found.push({ ...bare(old), change: 'not-read', before: old.digest });
  }
  const kept = olds.filter((at) => at !== null);
  const moved = kept.find((at, i) => at < (kept[i - 1] ?? 0));
  const first = before[moved ?? -1];
  if (first !== undefined && before.some((old, i) => isElsewhere(old, now[i]))) {
    found.push({ ...bare(first), change: 'reordered', before: first.digest, now: first.digest });
  }
  return found;
}

/**
 * For each present input the position of its earlier self; null if it is new. Stages know inputs by their position. External data that
 * moved are those at the same position, but not if they only changed places with others.
 */
function pairInputs(before: readonly InputPart[], now: readonly InputPart[]): (number | null)[] {
  const olds: (number | null)[] = now.map(({ path }, i) => (before[i]?.path === path ? i : null));
  const pairOthers = (find: (input: InputPart, at: number) => number): void => {
    for (const [i, input] of now.entries()) {
      if (olds[i] !== null) continue;
      const at = find(input, i);
      if (at >= 0 && !olds.includes(at)) olds[i] = at;
    }
  };
  pairOthers(({ path }) => before.findIndex((old, at) => old.path === path && !olds.includes(at)));
  pairOthers(({ external }, i) => (external && before[i]?.external === true ? i : -1));
  return olds;
}

/** Whether a stage finds another input where it found this one. The place of external data does not count. */
function isElsewhere(old: InputPart, present: InputPart | undefined): boolean {
  if (present === undefined) return true;
  const isSamePlace =
    old.external && present.external ? old.digest === present.digest : old.path === present.path;
  return !isSamePlace;
}

function bare({ path }: InputPart) {
  return { kind: 'input', path, files: [], ofOutputs: false, before: null, now: null } as const;
}

async function diffInput(before: InputPart, now: InputPart, trees: InputTrees): Promise<InputDifference> {
  const base = { ...bare(now), before: before.digest, now: now.digest };
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

function diffHashes(before: Hashes, now: Hashes): FileChange[] {
  return [
    ...Object.entries(now)
      .filter(([name, hash]) => getOwn(before, name) !== hash)
      .map(([name, hash]): FileChange => {
        const old = getOwn(before, name) ?? null;
        return { path: name, change: old === null ? 'new' : 'changed', before: old, now: hash };
      }),
    ...Object.entries(before)
      .filter(([name]) => !Object.hasOwn(now, name))
      .map(([name, hash]): FileChange => ({ path: name, change: 'gone', before: hash, now: null })),
  ];
}
