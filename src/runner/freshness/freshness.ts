import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { isSameJson } from '../../base/files/canonical-json.ts';
import type { StageInstance } from '../plan/plan.ts';
import { digestOutput, type PathDigest, type Tree } from '../store/digest.ts';
import {
  type FingerprintParts,
  hashParts,
  haveSameFingerprint,
  isComplete,
} from '../store/fingerprint-parts.ts';
import { describeRun, type RecordedOutput, type RunRecord } from '../store/records.ts';
import {
  explainDifference,
  explainWaiting,
  type InputTrees,
  type StaleReason,
  unnamedReason,
} from './differences.ts';
import type { ProducedOutputs } from './input-digests.ts';
import type { Session } from './session.ts';

export type Freshness =
  /** The outputs of the current fingerprint are in place and intact. */
  | { readonly kind: 'fresh'; readonly record: RunRecord; readonly isLast: boolean }
  /** They are not in place, but the store has them. */
  | {
      readonly kind: 'restorable';
      readonly record: RunRecord;
      readonly damaged: readonly DamagedOutput[];
      readonly reasons: readonly StaleReason[];
    }
  | {
      readonly kind: 'stale' | 'never-run';
      readonly reasons: readonly [StaleReason, ...StaleReason[]];
      /** null if it waits for other stages, or if it could not be computed: `error` says why. */
      readonly fingerprint: string | null;
      readonly parts: FingerprintParts | null;
      readonly last: RunRecord | null;
      readonly error: unknown;
    };

export interface DamagedOutput {
  readonly output: RecordedOutput;
  /** What to show the user: the files that are missing or altered, or the whole output. */
  readonly names: readonly string[];
  /** The files that the stage did not create, unless the whole output is shown. */
  readonly strangers: readonly string[];
  readonly reason: StaleReason;
}

const filesAtMost = 10;

/** Decides whether an instance has to run, and why. Changes nothing but caches. */
export async function checkFreshness(
  session: Session,
  instance: StageInstance,
  produced: ProducedOutputs,
): Promise<Freshness> {
  const last = session.records.findLast(instance.id);
  let parts: FingerprintParts;
  try {
    parts = await session.fingerprints.find(instance, produced);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const where = error instanceof ReproError && error.where !== undefined ? `${error.where}  ` : '';
    const reasons = [{ cue: 'input', text: `${where}${text}` }] as const;
    const kind = last === null ? 'never-run' : 'stale';
    return { kind, reasons, fingerprint: null, parts: null, last, error };
  }
  if (!isComplete(parts)) {
    return describeStale(session, instance, parts, null, last, explainWaiting(parts));
  }
  const fingerprint =
    last !== null && haveSameFingerprint(last.parts, parts) ? last.fingerprint : hashParts(parts);
  const record = last?.fingerprint === fingerprint ? last : session.records.findAction(fingerprint);
  if (record === null) return describeStale(session, instance, parts, fingerprint, last, []);

  // The same work under another name (a renamed matrix key) counts and is recorded under the current name.
  const own = { ...record, id: instance.id, stage: instance.stage };
  const damaged: DamagedOutput[] = [];
  let isGone = false;
  for (const output of own.outputs) {
    const absolute = path.resolve(session.plan.projectRoot, output.path);
    const found = await digestOutput(absolute, session.digests);
    if (found.kind === output.kind && found.digest === output.digest) continue;
    const described = await describeDamaged(session, output, found, own.outputs.length, last);
    const isStored = await session.store.hasOutput(output);
    const text = `${described.reason.text}${isStored ? '' : ', and not in the store'}`;
    damaged.push({ ...described, reason: { ...described.reason, text } });
    isGone ||= !isStored;
  }
  const [first, ...more] = damaged.map(({ reason }) => reason);
  if (first === undefined) return { kind: 'fresh', record: own, isLast: record === last };
  const reasons = [first, ...more] as const;
  if (isGone) return { kind: 'stale', reasons, fingerprint, parts, last, error: undefined };
  return { kind: 'restorable', record: own, damaged, reasons };
}

async function describeStale(
  session: Session,
  instance: StageInstance,
  parts: FingerprintParts,
  fingerprint: string | null,
  last: RunRecord | null,
  waiting: readonly StaleReason[],
): Promise<Freshness> {
  const base = { kind: 'stale', fingerprint, parts, last, error: undefined } as const;
  if (last === null) {
    return { ...base, kind: 'never-run', reasons: [{ cue: 'never-run', text: 'has not run yet' }] };
  }
  const before = findComparable(session, instance.id, last);
  if (before.profile !== session.plan.profile) {
    const text = `has not run with profile ${session.plan.profile} yet`;
    return { ...base, reasons: [{ cue: 'never-run', text }, ...waiting] };
  }
  const differences = await explainDifference(before.parts, parts, treesOf(session, instance));
  const [reason = unnamedReason, ...more] = [...differences, ...waiting];
  return { ...base, reasons: [reason, ...more] };
}

/** The run with which the present is compared: the last with the same settings, of the profile, or of all. A trial in between explains nothing. */
function findComparable({ plan, listRuns }: Session, id: string, last: RunRecord): RunRecord {
  const { profile, trial } = plan;
  const overrides = trial?.reaching.get(id);
  const isOfProfile = (one: RunRecord): boolean => one.profile === profile && one.overrides === undefined;
  const hasSameSettings = (one: RunRecord): boolean =>
    one.profile === profile && isSameJson(one.overrides, overrides);
  if (hasSameSettings(last)) return last;
  const runs = listRuns().filter((one) => one.id === id);
  return runs.find(hasSameSettings) ?? runs.find(isOfProfile) ?? last;
}

export function treesOf({ inputs, store }: Session, instance: StageInstance): InputTrees {
  return {
    before: (digest) => store.findTree(digest),
    now: async (part) => {
      const input = instance.inputs.find((one) => one.path === part.path);
      const source = input === undefined ? undefined : await inputs.readSource(instance, input);
      if (source === undefined) return store.findTree(part.digest ?? '');
      return source.kind === 'folder' ? source.tree : null;
    },
  };
}

/** @param last the run that the outputs in place may be of */
async function describeDamaged(
  session: Session,
  output: RecordedOutput,
  found: PathDigest | { readonly kind: 'altered' },
  count: number,
  last: RunRecord | null,
): Promise<DamagedOutput> {
  const whole = { output, names: [output.path], strangers: [] };
  if (found.kind === 'missing') {
    return { ...whole, reason: { cue: 'output-missing', text: `${output.path} is missing` } };
  }
  const recorded = output.kind === 'folder' ? await session.store.findTree(output.digest) : null;
  const { names, strangers } =
    recorded === null || found.kind !== 'folder'
      ? { names: [], strangers: [] }
      : nameDifferences(recorded, found.tree);
  const isOf = ({ path, digest }: RecordedOutput): boolean =>
    path === output.path && 'digest' in found && digest === found.digest;
  if (last?.outputs.some(isOf) === true) {
    const files = `${Math.max(names.length, 1)} ${names.length > 1 ? 'files' : 'file'}`;
    const held = `holds the ${describeRun(last, session.plan.profile)}; ${files} to restore`;
    const text = count === 1 ? held : `${output.path} ${held}`;
    return { ...whole, reason: { cue: 'output-of-other-run', text } };
  }
  const reason: StaleReason = { cue: 'output-altered', text: `${output.path} was altered` };
  const differing = names.length + strangers.length;
  if (differing === 0 || differing > filesAtMost) return { ...whole, reason };
  const inOutput = (name: string): string => path.posix.join(output.path, name);
  return { output, names: names.map(inOutput), strangers: strangers.map(inOutput), reason };
}

function nameDifferences(recorded: Tree, found: Tree): { names: string[]; strangers: string[] } {
  const present = new Map(found.entries.map((entry) => [entry.path, entry.sha256]));
  const wanted = new Set(recorded.entries.map((entry) => entry.path));
  return {
    names: recorded.entries
      .filter((entry) => present.get(entry.path) !== entry.sha256)
      .map((entry) => entry.path),
    strangers: found.entries.filter((entry) => !wanted.has(entry.path)).map((entry) => entry.path),
  };
}

/** Checks instances in order; dependents of one that has to run wait for it. */
export async function* checkInstances(
  session: Session,
  ids: readonly string[],
  isForced: (id: string) => boolean,
): AsyncGenerator<{ instance: StageInstance; freshness: Freshness }> {
  const known = new Map<string, readonly RecordedOutput[] | 'pending'>();
  const produced: ProducedOutputs = (id) => known.get(id);
  for (const id of ids) {
    const instance = session.plan.instances.get(id);
    if (instance === undefined) continue;
    const freshness = await checkFreshness(session, instance, produced);
    known.set(id, 'record' in freshness && !isForced(id) ? freshness.record.outputs : 'pending');
    yield { instance, freshness };
  }
}
