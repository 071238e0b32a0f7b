import { canonicalJson, isSameJson } from '../../base/files/canonical-json.ts';
import { getOwn, isJsonObject, type Json } from '../../base/schema/json.ts';
import { listSome, shortenText } from '../../base/text.ts';
import type { runFactNames, StageCommand } from '../plan/plan.ts';
import type { Tree } from '../store/digest.ts';
import { type FingerprintParts, hashParts, type InputPart, isComplete } from '../store/fingerprint-parts.ts';

/** Why an instance has to run, for people and for programs. */
export interface StaleReason {
  readonly cue:
    | 'never-run'
    /** Parts of the fingerprint; `command` stands for the outputs, too. */
    | 'command'
    | 'code'
    | 'package'
    | 'params'
    | 'input'
    | 'variable'
    | 'fact'
    | 'runtime'
    | 'output-missing'
    | 'output-altered'
    /** The output in place is what another run made, such as one with other settings. */
    | 'output-of-other-run'
    /** It was interrupted and resumes from what it saved. */
    | 'interrupted'
    | 'record'
    | 'forced'
    /** What a training from the command line was asked for. */
    | 'arguments';
  readonly text: string;
}

/** What differs between two fingerprints: its kind, what it concerns, both values if known, and the same in words. */
export type Difference = { readonly text: string } & (
  | { readonly kind: 'command' | 'outputs'; readonly before: string; readonly now: string }
  /** `train.epochs`; a matrix variable, a package and the like by its name. null: not there, not set. */
  | ({ readonly kind: 'param' | 'package' | 'variable' | 'fact' | 'runtime' } & JsonDifference)
  | ({ readonly kind: 'code' } & FileChange)
  | InputDifference
);

interface FileChange {
  readonly path: string;
  readonly change: 'changed' | 'new' | 'gone';
  /** sha256 of the content, if known; of what the file does, for source files. */
  readonly before: string | null;
  readonly now: string | null;
}

interface InputDifference {
  readonly kind: 'input';
  readonly path: string;
  readonly change: 'changed' | 'reordered' | keyof typeof inputChanges;
  /** For a folder: what differs in it. Empty if unknown. */
  readonly files: readonly FileChange[];
  /** Whether `files` are outputs of other stages, by their paths in the project. */
  readonly ofOutputs: boolean;
  readonly before: string | null;
  readonly now: string | null;
}

/** The files of an input folder, then and now, to name the exact one that differs; null if unknown. */
export interface InputTrees {
  before(digest: string): Promise<Tree | null>;
  now(input: InputPart): Promise<Tree | null>;
}

/** Why what was recorded does not count although no part of it is known to differ: every stale instance has a reason. */
export const unnamedReason: StaleReason = {
  cue: 'record',
  text: 'the record of its last run does not match, but no difference was found',
};

/** Lists the differences between the last record's parts and the current ones, in the order of the parts. Empty if they are the same. */
export async function explainDifference(
  before: FingerprintParts,
  now: FingerprintParts,
  trees: InputTrees,
): Promise<StaleReason[]> {
  const reasons = (await findDifferences(before, now, trees)).map(toReason);
  const isSame = reasons.length === 0 && (!isComplete(now) || hashParts(before) === hashParts(now));
  return reasons.length > 0 || isSame ? reasons : [unnamedReason];
}

function toReason({ kind, text }: Difference): StaleReason {
  return { cue: kind === 'outputs' ? 'command' : kind === 'param' ? 'params' : kind, text };
}

/** Inputs whose makers have to run first, which alone is a reason. */
export function explainWaiting(parts: FingerprintParts): StaleReason[] {
  return parts.inputs
    .filter((input) => input.waitsFor !== undefined)
    .map((input) => ({ cue: 'input', text: `${input.path} waits for ${listSome(input.waitsFor ?? [])}` }));
}

export async function findDifferences(
  before: FingerprintParts,
  now: FingerprintParts,
  trees: InputTrees,
): Promise<Difference[]> {
  return [
    ...diffTexts('command', describeCommand(before.command), describeCommand(now.command)),
    ...diffHashes(before.code, now.code).map(
      (one) => ({ kind: 'code', ...one, text: describeFileChange(one) }) as const,
    ),
    ...diffValues('package', before.packages, now.packages),
    ...[...diffJson(before.params, now.params), ...diffJson(before.matrix, now.matrix)].map(describeParam),
    ...(await diffInputs(before.inputs, now.inputs, trees)).map((one) => ({
      ...one,
      text: describeInput(one),
    })),
    ...diffTexts('outputs', describeOutputs(before.outputs), describeOutputs(now.outputs)),
    ...diffValues('variable', before.variables, now.variables),
    ...diffValues('fact', before.facts, now.facts),
    ...diffValues('runtime', before.runtime, now.runtime),
  ];
}

const valueLengthAtMost = 60;

function shorten(text: string): string {
  return shortenText(text, valueLengthAtMost);
}

function diffTexts(kind: 'command' | 'outputs', before: string, now: string): Difference[] {
  if (before === now) return [];
  const [old, present] = kind === 'command' ? [shorten(before), shorten(now)] : [before, now];
  return [{ kind, before, now, text: `${kind}: ${old} → ${present}` }];
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

/** That one of them is another: their values are not for people. */
const runFactChanges: Readonly<Record<string, string>> = {
  code: 'the code of a stage that it depends on changed',
  configuration: 'the profile or its --set changed',
} satisfies Record<(typeof runFactNames)[number], string>;

type Values = Readonly<Record<string, string | null>>;

function diffValues(
  kind: 'package' | 'variable' | 'fact' | 'runtime',
  before: Values,
  now: Values,
): Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((name): Difference[] => {
    const [old, present] = [getOwn(before, name), getOwn(now, name)];
    if (old === present) return [];
    let text = `${name}: ${shorten(old ?? 'unset')} → ${shorten(present ?? 'unset')}`;
    // Only the declaration of a variable that is not set.
    if ((old ?? null) === (present ?? null))
      text = old === undefined ? `${name} is new, and not set` : `${name} is no longer declared`;
    const isNamed = kind === 'package' || kind === 'variable';
    text = isNamed ? `${kind} ${text}` : (runFactChanges[name] ?? text);
    return [{ kind, name, before: old ?? null, now: present ?? null, text }];
  });
}

interface JsonDifference {
  /** `train.epochs`. */
  readonly name: string;
  /** undefined: not there. */
  readonly before: Json | undefined;
  readonly now: Json | undefined;
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

function describeParam(one: JsonDifference): Difference {
  const show = (value: Json | undefined) => (value === undefined ? 'unset' : shorten(JSON.stringify(value)));
  return { kind: 'param', ...one, text: `${one.name}: ${show(one.before)} → ${show(one.now)}` };
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

/** Inputs by path. External data may move without a difference, so those at new paths are matched with the other run's by their order. */
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

const inputChanges = {
  new: 'is a new input',
  'not-read': 'is no longer an input',
  missing: 'is missing',
  'now-exists': 'now exists',
  /** Only that declaration changed. */
  external: 'has another `external:`',
} as const;

function describeInput({ path, change, files, ofOutputs }: InputDifference): string {
  if (change === 'reordered') return 'inputs are in another order';
  if (change !== 'changed') return `${path} ${inputChanges[change]}`;
  if (files.length === 0) return `${path} changed`;
  const names = listSome(files.map((one) => describeFileChange(one, ofOutputs)));
  return ofOutputs ? names : `${path}: ${names}`;
}

/** `a.ts changed`, `b.ts is new`, `c.ts is gone`. An output no longer in this profile, such as that of a model, may well still exist. */
export function describeFileChange({ path, change }: FileChange, isOutput = false): string {
  if (change === 'changed') return `${path} changed`;
  return change === 'new' ? `${path} is new` : `${path} ${isOutput ? 'is no longer read' : 'is gone'}`;
}
