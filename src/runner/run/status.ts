import { describeError, ReproError } from '../../base/errors.ts';
import { isSameJson } from '../../base/files/canonical-json.ts';
import { findHolder } from '../../base/files/lock.ts';
import { findProcess } from '../../base/files/process-identity.ts';
import { getAt } from '../../base/schema/json.ts';
import { formatPlace } from '../../base/schema/problems.ts';
import { checkCode } from '../freshness/code-closure.ts';
import { type Difference, findDifferences, type StaleReason } from '../freshness/differences.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { checkInstances, type DamagedOutput, type Freshness, treesOf } from '../freshness/freshness.ts';
import { findRecordedRun } from '../freshness/recorded-runs.ts';
import { openSession, type Session, saveDigests } from '../freshness/session.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { withDependencies } from '../plan/selection.ts';
import type { AttemptFailure } from '../store/attempts.ts';
import { logFileOf } from '../store/cache-folder.ts';
import type { RunRecord } from '../store/records.ts';

/**
 * What can be said of an instance without running anything.
 *
 * - `fresh`: its outputs are in place and intact
 * - `restorable`: nothing has to run, but outputs must be restored from the store
 * - `stale`, `never-run`: it has to run
 * - `failed`: it has to run, and the last attempt with just this code, these inputs and parameters failed
 * - `running`: another process runs it now
 * - `error`: it could not be determined, and a run would fail in the same way
 */
type InstanceState = Freshness['kind'] | 'failed' | 'running' | 'error';

interface StateReport {
  readonly id: string;
  readonly state: InstanceState;
  readonly reasons: readonly StaleReason[];
  readonly error?: { readonly code: string; readonly text: string };
  readonly attempt?: AttemptReport;
}

export interface AttemptReport {
  readonly startedAt: string;
  readonly logFile: string;
  /** How it failed; null while it runs. */
  readonly failure: AttemptFailure | null;
  /** The process that runs it, or did. */
  readonly pid: number;
  readonly host: string;
  /** Whether it is of the present code, inputs and parameters; null if these are not known yet, since it waits for others. */
  readonly isCurrent: boolean | null;
}

export interface InstanceStatus extends StateReport {
  /** Of the present code, inputs and settings if there is one, whether in place or not; else of the last run; null if there was none. */
  readonly record: RunRecord | null;
  readonly isPresent: boolean;
}

interface StatusOptions {
  readonly facts: Facts;
  /** Default: all. Outputs of instances not listed are taken from disk as they are. */
  readonly selected?: ReadonlySet<string> | undefined;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Reports for each selected instance, in plan order, whether it is up to date, and if not, why. Changes nothing. */
export async function readStatus(plan: Plan, options: StatusOptions): Promise<InstanceStatus[]> {
  const session = openSession(plan, options);
  await checkCode(session, idsOf(plan, options));
  return inspect(session, options, async (instance, freshness, findState) => ({
    id: instance.id,
    ...findState(),
    reasons: [...reasonsOf(freshness), ...(await findInterrupted(session, instance, freshness))],
    record: 'record' in freshness ? freshness.record : freshness.last,
    isPresent: 'record' in freshness,
  }));
}

/** With, for a parameter, where its present value was set. */
export type ExplainedDifference = Difference & { readonly where: string | null };

/** Why an instance has to run, or in what its present state differs from a recorded run. */
export interface Explanation extends StateReport {
  readonly against: RunRecord | null;
  readonly differences: readonly ExplainedDifference[];
  /** Other than differences from a record: missing or altered outputs, a damaged record, a stage module that does not compile. */
  readonly reasons: readonly StaleReason[];
  readonly waitsFor: readonly AwaitedStage[];
}

interface AwaitedStage {
  readonly id: string;
  readonly reasons: readonly StaleReason[];
  /** Whether it would also be stale if nothing before it were: false if it only waits for others. */
  readonly isCause: boolean;
}

interface ExplainOptions extends StatusOptions {
  readonly named: ReadonlySet<string>;
  readonly against: string;
}

/** @param options.selected what is named, with everything it depends on */
export async function explainInstances(plan: Plan, options: ExplainOptions): Promise<Explanation[]> {
  const session = openSession(plan, options);
  const stale = new Map<string, AwaitedStage>();
  const all = await inspect(session, options, async (instance, freshness, findState) => {
    const { id } = instance;
    if (!('record' in freshness)) stale.set(id, describeAwaited(id, freshness));
    if (!options.named.has(id)) return null;
    const against = findRecordedRun(options.against, { plan, records: session.records, instance });
    const parts = 'record' in freshness ? freshness.record.parts : freshness.parts;
    const reasons = 'reasons' in freshness ? freshness.reasons : [];
    const isOwn = ({ cue }: StaleReason): boolean => cue.startsWith('output-') || cue === 'record';
    const differences =
      parts === null || against === null
        ? []
        : await findDifferences(against.parts, parts, treesOf(session, instance));
    const before = withDependencies(plan, [id]);
    return {
      id,
      ...findState(),
      against,
      differences: differences.map((one) => ({ ...one, where: placeOf(plan, one) })),
      reasons: parts === null ? reasons : reasons.filter(isOwn),
      waitsFor: [...stale.values()].filter((one) => one.id !== id && before.has(one.id)),
    };
  });
  return all.filter((one) => one !== null);
}

function idsOf(plan: Plan, { selected }: StatusOptions): string[] {
  return [...plan.instances.keys()].filter((id) => selected?.has(id) ?? true);
}

/** Asks about instances in plan order; their states are all as of the moment at which it begins. */
async function inspect<Found>(
  session: Session,
  options: StatusOptions,
  describe: (
    instance: StageInstance,
    freshness: Freshness,
    findState: () => Omit<StateReport, 'id' | 'reasons'>,
  ) => Promise<Found>,
): Promise<Found[]> {
  const isLocked = findHolder(session.folder.lock) !== null;
  const found: Found[] = [];
  for await (const { instance, freshness } of checkInstances(
    session,
    idsOf(session.plan, options),
    () => false,
  )) {
    found.push(await describe(instance, freshness, () => findState(session, instance, freshness, isLocked)));
  }
  await saveDigests(session);
  return found;
}

function findState(
  { attempts, folder }: Session,
  { id }: StageInstance,
  freshness: Freshness,
  isLocked: boolean,
): Omit<StateReport, 'id' | 'reasons'> {
  const last = attempts.find(id);
  const current = 'record' in freshness ? freshness.record.fingerprint : freshness.fingerprint;
  const attempt = last && {
    startedAt: last.startedAt,
    logFile: logFileOf(folder, id),
    failure: last.failure,
    pid: last.runner.pid,
    host: last.runner.host,
    isCurrent: current === null ? null : last.fingerprint === current,
  };
  if (last !== null && last.failure === null) {
    // A killed runner cannot report its end. One on another machine, such as a cluster node, works for the process that holds the lock.
    const runner = findProcess(last.runner);
    if (runner === 'alive' || (runner === 'unknown' && isLocked))
      return { state: 'running', attempt: attempt! };
  }
  if ('error' in freshness && freshness.error !== undefined) {
    const code = freshness.error instanceof ReproError ? freshness.error.code : 'internal';
    return { state: 'error', error: { code, text: describeError(freshness.error) } };
  }
  const hasFailed = attempt !== null && attempt.failure !== null && attempt.isCurrent === true;
  if (hasFailed && !('record' in freshness)) return { state: 'failed', attempt };
  return { state: freshness.kind };
}

/** Whether a stale instance will resume. Fresh ones are not asked: most are fresh, and asking means reading files. */
async function findInterrupted(
  session: Session,
  instance: StageInstance,
  freshness: Freshness,
): Promise<readonly StaleReason[]> {
  if (instance.resume.length === 0 || 'record' in freshness) return [];
  const { fingerprint, parts } = freshness;
  if (fingerprint === null || parts === null) return [];
  const [{ resumeFoldersOf }, { readInputState }] = await Promise.all([
    import('./resume-folder.ts'),
    import('./start-state.ts'),
  ]);
  const inputs = await readInputState(session, { instance, parts });
  for (const folder of resumeFoldersOf(session, instance)) {
    if (!(await folder.canResume(fingerprint, inputs))) continue;
    return [{ cue: 'interrupted', text: 'interrupted: resumes from what it saved' }];
  }
  return [];
}

function reasonsOf(freshness: Freshness): readonly StaleReason[] {
  if (freshness.kind === 'restorable') return freshness.damaged.map(nameFiles);
  return 'reasons' in freshness ? freshness.reasons : [];
}

/** The reason why an output is restored, with its files that are missing or altered, and those that do not belong there. */
function nameFiles({ output, names, strangers, reason }: DamagedOutput): StaleReason {
  if (reason.cue === 'output-of-other-run') return reason;
  const files = [...names, ...strangers].filter((name) => name !== output.path);
  return files.length === 0 ? reason : { ...reason, text: `${reason.text}: ${files.join(', ')}` };
}

function placeOf(plan: Plan, difference: Difference): string | null {
  if (difference.kind !== 'param' || difference.now === undefined) return null;
  const at = difference.name.split('.');
  // A matrix variable may have the name of a setting.
  return isSameJson(getAt(plan.settings, at), difference.now) ? formatPlace(plan.places.place(at)) : null;
}

function describeAwaited(
  id: string,
  { reasons, parts }: Extract<Freshness, { kind: 'stale' | 'never-run' }>,
): AwaitedStage {
  const waiting = parts?.inputs.filter(({ waitsFor }) => waitsFor !== undefined).length ?? 0;
  return { id, reasons, isCause: reasons.length > waiting };
}
