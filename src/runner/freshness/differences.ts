import { canonicalJson } from '../../files/canonical-json.ts';
import { getOwn, isJsonList, isJsonObject, type Json } from '../../schema/json.ts';
import type { StageCommand } from '../plan/plan.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import {
  type Change,
  diffHashes,
  diffInputs,
  type FileChange,
  type InputDifference,
  type InputTrees,
} from './input-differences.ts';

/** One part of two fingerprints that differs, with both values. */
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

/** A place where two values differ. */
export interface JsonDifference {
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
