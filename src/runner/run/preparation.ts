import { describeError, ReproError } from '../../base/errors.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import type { StaleReason } from '../freshness/differences.ts';
import { checkFreshness, checkInstances, type Freshness } from '../freshness/freshness.ts';
import { noteUse, type Session } from '../freshness/session.ts';
import { listMakers, makersOf } from '../plan/graph.ts';
import type { Resources, StageInstance } from '../plan/plan.ts';
import { logFileOf } from '../store/cache-folder.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { restoreOutputs } from '../store/outputs-in-place.ts';
import { durationOf, type RunRecord } from '../store/records.ts';
import type { RunEvent } from './events.ts';
import { describeFailure } from './execution.ts';
import type { SharedRun, Work } from './execution-context.ts';
import { describeShortage, type MachineResources } from './machine.ts';
import { resumeFoldersOf } from './resume-folder.ts';

/** `machine`: where it would run; null: elsewhere, on what is not known here. */
type PreparationContext = SharedRun & { readonly machine: MachineResources | null };

/** `hit`: it need not run; `failed`: before it could start; otherwise the work to run. */
export type Prepared = 'hit' | 'failed' | Omit<Work, 'grant'>;

/** Damaged objects that are found are removed, and then the instance is checked again; on a disk where removing fails, this must end. */
const looksAtMost = 3;

/**
 * Decides whether an instance has to run; if not, puts its outputs in place.
 *
 * @returns `pending` if its results are being fetched, which may take long
 */
export function prepare(
  context: PreparationContext,
  instance: StageInstance,
): Promise<Prepared | { readonly pending: Promise<Prepared> }> {
  const { session, signal, fetchStage, isForced } = context;
  return guarded(context, instance, async () => {
    const freshness = await check(context, instance);
    const mayBeThere = !('record' in freshness) && freshness.fingerprint !== null;
    if (fetchStage === undefined || isForced(instance.id) || !mayBeThere) {
      return decide(context, instance, freshness);
    }
    const pending = guarded(context, instance, async () => {
      const isFetched = await fetchStage(session, instance, freshness, signal);
      return decide(context, instance, isFetched ? await check(context, instance) : freshness);
    });
    return { pending };
  });
}

/**
 * Looks again at what has to run, just before it does: it may have waited for days, and code, packages, engine and sources be others by now.
 *
 * @returns the work as it is now, or `hit` or `failed`
 */
export function prepareAgain(context: SharedRun, work: Omit<Work, 'grant'>): Promise<Prepared> {
  const { session } = context;
  const { instance } = work;
  return guarded(context, instance, async () => {
    session.fingerprints.forget();
    const freshness = await check(context, instance);
    const { fingerprint } = 'record' in freshness ? freshness.record : freshness;
    const isSame = fingerprint === work.fingerprint;
    const again = isSame ? work : await decide({ ...context, machine: null }, instance, freshness);
    if (typeof again === 'object') refuseOtherVersion(context, instance, again.parts);
    return again;
  });
}

/** What was verified must be what is used: all stages of a run read the same version of what no stage makes. */
function refuseOtherVersion(
  { session, sources }: SharedRun,
  instance: StageInstance,
  parts: FingerprintParts,
) {
  for (const [i, input] of instance.inputs.entries()) {
    if (listMakers(makersOf(session.plan, instance, input.path)).length > 0) continue;
    const digest = parts.inputs[i]?.digest ?? null;
    const first = sources.get(input.path) ?? { digest, id: instance.id };
    sources.set(input.path, first);
    if (first.digest === digest) continue;
    const text = `input "${input.path}" has changed since stage "${first.id}" of this run read it`;
    throw new ReproError('input-changed', text, { fix: 'Run again: then all stages read the same version.' });
  }
}

async function guarded<T>(
  { session, onEvent }: SharedRun,
  { id }: StageInstance,
  work: () => Promise<T>,
): Promise<T | 'failed'> {
  try {
    return await work();
  } catch (error) {
    const explained = explainDiskError(error, { doing: `stage "${id}"`, keepsWork: true });
    const logFile = logFileOf(session.folder, id);
    onEvent({ kind: 'failed', id, seconds: 0, ...describeFailure(explained), logFile, logTail: [] });
    return 'failed';
  }
}

function check({ session, produced }: SharedRun, instance: StageInstance): Promise<Freshness> {
  return checkFreshness(session, instance, (id) => produced.get(id));
}

async function decide(
  context: PreparationContext,
  instance: StageInstance,
  found: Freshness,
): Promise<Prepared> {
  const { session, produced, onEvent } = context;
  const { id } = instance;
  const isForced = context.isForced(id);
  let freshness = found;
  for (let looks = 1; !isForced && looks <= looksAtMost; looks += 1) {
    const settled = await settle(context, instance, freshness);
    if (settled === 'must-run') break;
    if (settled !== 'look-again') {
      refuseOtherVersion(context, instance, settled.parts);
      produced.set(id, settled.outputs);
      return 'hit';
    }
    freshness = await check(context, instance);
  }
  const reasons = isForced ? [forcedReason] : 'reasons' in freshness ? freshness.reasons : [];
  const { fingerprint, parts } = 'record' in freshness ? freshness.record : freshness;
  if (fingerprint === null || parts === null) throw 'error' in freshness ? freshness.error : undefined;
  if (isForced) {
    // It would otherwise resume at the end of a finished run and compute nothing.
    for (const folder of resumeFoldersOf(session, instance)) await folder.dropIfFinished(fingerprint);
  }
  const shortage = context.machine && describeShortage(instance.resources, context.machine);
  if (shortage !== null) onEvent({ kind: 'note', id, level: 'warning', text: shortage });
  return { instance, fingerprint, parts, reasons };
}

async function settle(
  { session, temporary, onEvent }: PreparationContext,
  instance: StageInstance,
  freshness: Freshness,
): Promise<RunRecord | 'must-run' | 'look-again'> {
  const { id } = instance;
  if (!('record' in freshness)) return 'must-run';
  const record = adopt(session, freshness.record);
  if (record !== freshness.record) await session.records.writeAction(record);
  await noteUse(session, record);
  if (freshness.kind === 'fresh') {
    if (!freshness.isLast || record !== freshness.record) await session.records.writeLast(record);
  } else {
    await session.records.writeLast(record);
    const outputs = freshness.damaged.map(({ output }) => output);
    const warn = (text: string): void => onEvent({ kind: 'note', id, level: 'warning', text });
    const problem = await restoreOutputs(session, id, outputs, temporary, warn);
    if (problem !== null) {
      warn(problem);
      // What is damaged there is removed by now.
      return 'look-again';
    }
  }
  // The run that finished may have been killed before it did this.
  for (const folder of resumeFoldersOf(session, instance)) await folder.drop(record.fingerprint);
  await session.attempts.drop(id);
  onEvent(createHitEvent(id, freshness, false));
  return record;
}

/** A trial's record, if its settings are those of the profile by now: it is the profile's result from here on. */
function adopt({ plan: { profile, trial } }: Session, record: RunRecord): RunRecord {
  if (record.overrides === undefined || trial?.reaching.has(record.id) === true) return record;
  const { overrides: _, ...own } = record;
  return { ...own, profile };
}

/** What is, or in a rehearsal would be, done about an instance that need not run. */
function createHitEvent(
  id: string,
  freshness: Extract<Freshness, { kind: 'fresh' | 'restorable' }>,
  isRehearsal: boolean,
): RunEvent {
  const damaged = freshness.kind === 'fresh' ? [] : freshness.damaged;
  return {
    kind: 'cached',
    id,
    restored: damaged.flatMap(({ names }) => names),
    removed: damaged.flatMap(({ strangers }) => strangers),
    isRehearsal,
    made: { metrics: freshness.record.metrics, totalSeconds: durationOf(freshness.record) },
  };
}

const forcedReason: StaleReason = { cue: 'forced', text: 'forced' };

/** Reports what a run would do, as far as that can be known beforehand. @param options.measure null: it would run elsewhere */
export async function rehearse(
  session: Session,
  ids: readonly string[],
  options: Pick<SharedRun, 'isForced' | 'onEvent'> & {
    readonly measure: ((wanted: readonly Resources[]) => MachineResources) | null;
  },
): Promise<void> {
  const { isForced, measure, onEvent } = options;
  const waiting: StageInstance[] = [];
  for await (const { instance, freshness } of checkInstances(session, ids, isForced)) {
    const { id } = instance;
    if ('record' in freshness && !isForced(id)) {
      onEvent(createHitEvent(id, freshness, true));
      continue;
    }
    waiting.push(instance);
    const reasons = isForced(id) || !('reasons' in freshness) ? [forcedReason] : freshness.reasons;
    onEvent({ kind: 'would-run', id, reasons });
    if ('error' in freshness && freshness.error !== undefined) {
      onEvent({ kind: 'note', id, level: 'warning', text: describeError(freshness.error) });
    }
  }
  const machine = measure?.(waiting.map(({ resources }) => resources)) ?? null;
  for (const { id, command, resources } of waiting) {
    const warn = (text: string): void => onEvent({ kind: 'note', id, level: 'warning', text });
    const shortage = machine && describeShortage(resources, machine);
    if (shortage !== null) warn(shortage);
    if (command.kind !== 'module') continue;
    await session.closures.readInstalled(command.path).catch((error: unknown) => warn(describeError(error)));
  }
}
