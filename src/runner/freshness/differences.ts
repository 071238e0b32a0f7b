import { getOwn } from '../../schema/json.ts';
import { canonicalJson } from '../canonical-json.ts';
import { diffJson, type JsonDifference } from '../json-differences.ts';
import type { StageCommand } from '../plan/plan.ts';
import type { FingerprintParts } from './fingerprint.ts';
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
