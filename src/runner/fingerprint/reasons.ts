import { isJsonObject } from '../../schema/json.ts';
import type { StaleReason } from '../events.ts';
import type { PathDigest, Tree } from '../files/digest.ts';
import type { Json, StageCommand } from '../plan.ts';
import type { FingerprintParts } from './fingerprint.ts';
import type { InputPart } from './input-digests.ts';

/** The content of inputs, then and now, to name the exact file that differs; null if unknown. */
export interface InputTrees {
  before(digest: string): Promise<Tree | null>;
  now(input: InputPart): Promise<PathDigest | null>;
}

/** More names than this do not help the reader. */
const namesAtMost = 3;

const valueLengthAtMost = 60;

/** Lists the differences between the last record's parts and the current ones, in the order of the parts. */
export async function explainDifference(
  before: FingerprintParts,
  now: FingerprintParts,
  trees: InputTrees,
): Promise<StaleReason[]> {
  return [
    ...explainCommand(before.command, now.command),
    ...diffHashes(before.code, now.code).map((text) => ({ cue: 'code', text })),
    ...diffValues(before.packages, now.packages).map((text) => ({ cue: 'package', text: `package ${text}` })),
    ...diffJson(before.params, now.params).map((text) => ({ cue: 'params', text })),
    ...diffJson(before.matrix, now.matrix).map((text) => ({ cue: 'params', text })),
    ...(await explainInputs(before.inputs, now.inputs, trees)),
    ...explainOutputs(before.outputs, now.outputs),
    ...diffValues(before.variables, now.variables).map((text) => ({
      cue: 'variable',
      text: `variable ${text}`,
    })),
    ...diffValues(before.facts, now.facts).map((text) => ({ cue: 'fact', text })),
    ...diffValues(before.runtime, now.runtime).map((text) => ({ cue: 'runtime', text })),
  ];
}

/** Inputs whose makers have to run first, which alone is a reason. */
export function explainWaiting(parts: FingerprintParts): StaleReason[] {
  return parts.inputs
    .filter((input) => input.waitsFor !== undefined)
    .map((input) => ({ cue: 'input', text: `${input.path} waits for ${nameSome(input.waitsFor ?? [])}` }));
}

function explainCommand(before: StageCommand, now: StageCommand): StaleReason[] {
  const [old, present] = [describeCommand(before), describeCommand(now)];
  return old === present ? [] : [{ cue: 'command', text: `command: ${shorten(old)} → ${shorten(present)}` }];
}

function describeCommand(command: StageCommand): string {
  return command.kind === 'module'
    ? command.path
    : command.argv.map((word) => JSON.stringify(word)).join(' ');
}

function explainOutputs(before: readonly string[], now: readonly string[]): StaleReason[] {
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  return [{ cue: 'command', text: `outputs: ${before.join(', ')} → ${now.join(', ')}` }];
}

async function explainInputs(
  before: readonly InputPart[],
  now: readonly InputPart[],
  trees: InputTrees,
): Promise<StaleReason[]> {
  const reasons: StaleReason[] = [];
  const isPlaced = before.length === now.length;
  for (const [i, input] of now.entries()) {
    // An external input may have moved; it is then the one at the same position in the list.
    const old =
      before.find((one) => one.path === input.path) ??
      (isPlaced && input.external && before[i]?.external === true ? before[i] : undefined);
    if (old === undefined) reasons.push({ cue: 'input', text: `${input.path} is a new input` });
    else if (input.digest !== null && old.digest !== input.digest) {
      reasons.push({ cue: 'input', text: await explainInput(old, input, trees) });
    }
  }
  for (const old of before) {
    const isKept = now.some(
      (input, i) => input.path === old.path || (isPlaced && input.external && before[i] === old),
    );
    if (!isKept) reasons.push({ cue: 'input', text: `${old.path} is no longer an input` });
  }
  const isReordered =
    reasons.length === 0 && before.some((old, i) => old.path !== now[i]?.path && !old.external);
  if (isReordered) reasons.push({ cue: 'input', text: 'inputs are in another order' });
  return reasons;
}

async function explainInput(before: InputPart, now: InputPart, trees: InputTrees): Promise<string> {
  if (now.digest === 'missing') return `${now.path} is missing`;
  if (before.digest === 'missing') return `${now.path} now exists`;
  if (before.of !== undefined && now.of !== undefined) {
    // Something no longer in this profile, such as a model it no longer names, may well still exist.
    const changes = diffHashes(before.of, now.of, 'is no longer read');
    if (changes.length > 0) return nameSome(changes);
  }
  const [old, present] = [await trees.before(before.digest ?? ''), await trees.now(now)];
  if (old === null || present === null || present.kind !== 'folder') return `${now.path} changed`;
  const changes = diffHashes(hashesOf(old), hashesOf(present.tree));
  return changes.length === 0 ? `${now.path} changed` : `${now.path}: ${nameSome(changes)}`;
}

function hashesOf(tree: Tree): Record<string, string> {
  return Object.fromEntries(tree.entries.map((entry) => [entry.path, entry.sha256]));
}

type Hashes = Readonly<Record<string, string>>;

/** `a.ts changed`, `b.ts is new`, `c.ts is gone`. */
function diffHashes(before: Hashes, now: Hashes, absence = 'is gone'): string[] {
  return [
    ...Object.keys(now)
      .filter((name) => before[name] !== now[name])
      .map((name) => (before[name] === undefined ? `${name} is new` : `${name} changed`)),
    ...Object.keys(before)
      .filter((name) => now[name] === undefined)
      .map((name) => `${name} ${absence}`),
  ];
}

type Values = Readonly<Record<string, string | null>>;

/** `name: old → new`. */
function diffValues(before: Values, now: Values): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((name) => (before[name] ?? null) !== (now[name] ?? null))
    .map((name) => `${name}: ${shorten(before[name] ?? 'unset')} → ${shorten(now[name] ?? 'unset')}`);
}

/** `train.epochs: 3 → 5`, for every leaf that differs. */
function diffJson(before: Json, now: Json, name = ''): string[] {
  if (isJsonObject(before) && isJsonObject(now)) {
    return [...new Set([...Object.keys(before), ...Object.keys(now)])].flatMap((key) =>
      diffJson(
        before[key] ?? undefinedValue,
        now[key] ?? undefinedValue,
        name === '' ? key : `${name}.${key}`,
      ),
    );
  }
  const [old, present] = [describeJson(before), describeJson(now)];
  return old === present ? [] : [`${name}: ${shorten(old)} → ${shorten(present)}`];
}

/** Stands for a missing key; a parameter cannot be this string by accident. */
const undefinedValue = '\u0000unset';

function describeJson(value: Json): string {
  return value === undefinedValue ? 'unset' : JSON.stringify(value);
}

function shorten(text: string): string {
  return text.length <= valueLengthAtMost ? text : `${text.slice(0, valueLengthAtMost - 1)}…`;
}

function nameSome(names: readonly string[]): string {
  const shown = names.slice(0, namesAtMost).join(', ');
  return names.length <= namesAtMost ? shown : `${shown} and ${names.length - namesAtMost} more`;
}
