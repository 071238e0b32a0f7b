import { canonicalJson } from '../../files/canonical-json.ts';
import { getOwn, isJsonObject, type Json } from '../../schema/json.ts';
import type { StageCommand } from '../plan/plan.ts';
import type { Tree } from '../store/digest.ts';
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

/** The smallest parts of two values that differ; a list is one part. */
function diffJson(before: Json | undefined, now: Json | undefined, name = ''): JsonDifference[] {
  if (isJsonObject(before) && isJsonObject(now)) {
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
      diffJson(getOwn(before, key), getOwn(now, key), name === '' ? key : `${name}.${key}`),
    );
  }
  return isSameJson(before, now) ? [] : [{ name, before, now }];
}

/** The files of an input folder, then and now, to name the exact one that differs; null if unknown. */
export interface InputTrees {
  before(digest: string): Promise<Tree | null>;
  now(input: InputPart): Promise<Tree | null>;
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
  /** `external`: only that declaration changed. */
  readonly change: 'changed' | 'new' | 'missing' | 'now-exists' | 'not-read' | 'external' | 'reordered';
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
  const [olds, presents] = [keyInputs(before, now), keyInputs(now, before)];
  const found: InputDifference[] = [];
  for (const [key, input] of presents) {
    const old = olds.get(key);
    if (old === undefined) found.push({ ...bare(input), change: 'new', now: input.digest });
    else if (input.digest !== null && old.digest !== input.digest)
      found.push(await diffInput(old, input, trees));
    else if (old.external !== input.external) found.push({ ...bare(input), change: 'external' });
  }
  for (const [key, old] of olds) {
    if (!presents.has(key)) found.push({ ...bare(old), change: 'not-read', before: old.digest });
  }
  const kept = [...olds.keys()].filter((key) => presents.has(key));
  const order = [...presents.keys()].filter((key) => olds.has(key));
  const moved = kept.find((key, i) => key !== order[i]);
  if (moved !== undefined) found.push({ ...bare(olds.get(moved) ?? { path: moved }), change: 'reordered' });
  return found;
}

/** By path; external data that moved, which is no difference, by their place among those that the other run knows under another path. */
function keyInputs(
  inputs: readonly InputPart[],
  others: readonly InputPart[],
): ReadonlyMap<string, InputPart> {
  let moved = 0;
  return new Map(
    inputs.map((input) => {
      const isMoved = input.external && others.every(({ path }) => path !== input.path);
      return [isMoved ? `\0${moved++}` : input.path, input];
    }),
  );
}

function bare({ path }: Pick<InputPart, 'path'>) {
  return { kind: 'input', path, files: [], ofOutputs: false, before: null, now: null } as const;
}

async function diffInput(before: InputPart, now: InputPart, trees: InputTrees): Promise<InputDifference> {
  const base = { ...bare(now), before: before.digest, now: now.digest };
  if (now.digest === 'missing') return { ...base, change: 'missing' };
  if (before.digest === 'missing') return { ...base, change: 'now-exists' };
  const outputs = diffHashes(before.of ?? {}, now.of ?? {});
  if (before.of !== undefined && now.of !== undefined && outputs.length > 0)
    return { ...base, change: 'changed', files: outputs, ofOutputs: true };
  const [old, present] = [await trees.before(before.digest ?? ''), await trees.now(now)];
  const files = old === null || present === null ? [] : diffHashes(hashesOf(old), hashesOf(present));
  return { ...base, change: 'changed', files };
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
