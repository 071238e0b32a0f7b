import { unreachable } from '../../errors.ts';
import { listSome, shortenText } from '../../text.ts';
import type { Json, runFactNames } from '../plan/plan.ts';
import { type FingerprintParts, hashParts, isComplete } from '../store/fingerprint-parts.ts';
import type { LostOutput } from '../store/lost-outputs.ts';
import {
  type Difference,
  type FileChange,
  findDifferences,
  type InputDifference,
  type InputTrees,
} from './differences.ts';
import type { StaleReason } from './stale-reason.ts';

/** That one of them is another: their values are not for people. */
const runFactChanges: Readonly<Record<string, string>> = {
  code: 'the code of a stage changed',
  configuration: 'the profile or its --set changed',
} satisfies Record<(typeof runFactNames)[number], string>;

const valueLengthAtMost = 60;

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
  const reasons = (await findDifferences(before, now, trees)).map(describeDifference);
  const isSame = reasons.length === 0 && (!isComplete(now) || hashParts(before) === hashParts(now));
  return reasons.length > 0 || isSame ? reasons : [unnamedReason];
}

/** Inputs whose makers have to run first, which alone is a reason. */
export function explainWaiting(parts: FingerprintParts): StaleReason[] {
  return parts.inputs
    .filter((input) => input.waitsFor !== undefined)
    .map((input) => ({ cue: 'input', text: `${input.path} waits for ${listSome(input.waitsFor ?? [])}` }));
}

/** What a run will re-store, for commands that change nothing. */
export function explainLost(lost: readonly LostOutput[]): StaleReason[] {
  if (lost.length === 0) return [];
  const names = listSome(lost.flatMap((one) => one.names));
  return [
    { cue: 'store-lost', text: `not in the store: ${names}; a run re-stores it from its intact output` },
  ];
}

export function describeDifference(difference: Difference): StaleReason {
  switch (difference.kind) {
    case 'command':
      return {
        cue: 'command',
        text: `command: ${shorten(difference.before)} → ${shorten(difference.now)}`,
      };
    case 'outputs':
      return { cue: 'command', text: `outputs: ${difference.before} → ${difference.now}` };
    case 'code':
      return { cue: 'code', text: describeFile(difference) };
    case 'package':
    case 'variable':
      return { cue: difference.kind, text: `${difference.kind} ${describeValues(difference)}` };
    case 'fact':
    case 'runtime':
      return { cue: difference.kind, text: runFactChanges[difference.name] ?? describeValues(difference) };
    case 'param': {
      const [before, now] = [describeJson(difference.before), describeJson(difference.now)];
      return { cue: 'params', text: `${difference.name}: ${shorten(before)} → ${shorten(now)}` };
    }
    case 'input':
      return { cue: 'input', text: describeInput(difference) };
    default:
      return unreachable(difference);
  }
}

function describeValues({
  name,
  change,
  before,
  now,
}: Extract<Difference, { name: string; change: unknown }>) {
  if (before === now)
    return change === 'new' ? `${name} is new, and not set` : `${name} is no longer declared`;
  return `${name}: ${shorten(before ?? 'unset')} → ${shorten(now ?? 'unset')}`;
}

function describeJson(value: Json | undefined): string {
  return value === undefined ? 'unset' : JSON.stringify(value);
}

const inputChanges: Readonly<Record<Exclude<InputDifference['change'], 'changed' | 'reordered'>, string>> = {
  new: 'is a new input',
  'not-read': 'is no longer an input',
  missing: 'is missing',
  'now-exists': 'now exists',
  external: 'has another `external:`',
};

function describeInput({ path, change, files, ofOutputs }: InputDifference): string {
  if (change === 'reordered') return 'inputs are in another order';
  if (change !== 'changed') return `${path} ${inputChanges[change]}`;
  if (files.length === 0) return `${path} changed`;
  // An output no longer in this profile, such as that of a model it no longer names, may well still exist.
  const names = listSome(files.map((one) => describeFile(one, ofOutputs ? 'is no longer read' : 'is gone')));
  return ofOutputs ? names : `${path}: ${names}`;
}

/** `a.ts changed`, `b.ts is new`, `c.ts is gone`. */
export function describeFile({ path, change }: FileChange, absence = 'is gone'): string {
  if (change === 'changed') return `${path} changed`;
  return change === 'new' ? `${path} is new` : `${path} ${absence}`;
}

function shorten(text: string): string {
  return shortenText(text, valueLengthAtMost);
}
