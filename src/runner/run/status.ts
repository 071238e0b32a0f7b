import { checkCode } from '../freshness/code-closure.ts';
import type { StaleReason } from '../freshness/differences.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import type { DamagedOutput, Freshness } from '../freshness/freshness.ts';
import { createStateReporter, type StateReport } from '../freshness/instance-state.ts';
import { checkInstances, openSession, type Session, saveDigests } from '../freshness/session.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { RunRecord } from '../store/records.ts';

export interface InstanceStatus extends StateReport {
  readonly id: string;
  readonly reasons: readonly StaleReason[];
  /** Of the present code, inputs and settings if there is one, whether in place or not; else of the last run; null if there was none. */
  readonly record: RunRecord | null;
  /** Whether the record is of the present code, inputs and settings. */
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
  const ids = [...plan.instances.keys()].filter((id) => options.selected?.has(id) ?? true);
  await checkCode(session, ids);
  const reportState = createStateReporter(session);
  const statuses: InstanceStatus[] = [];
  for await (const { instance, freshness } of checkInstances(session, ids, () => false)) {
    statuses.push({
      id: instance.id,
      ...reportState(instance.id, freshness),
      reasons: [...reasonsOf(freshness), ...(await findInterrupted(session, instance, freshness))],
      record: 'record' in freshness ? freshness.record : freshness.last,
      isPresent: 'record' in freshness,
    });
  }
  await saveDigests(session);
  return statuses;
}

/** Whether a stale instance will resume. Fresh ones are not asked: most are fresh, and asking means reading files. */
async function findInterrupted(
  session: Session,
  instance: StageInstance,
  freshness: Freshness,
): Promise<readonly StaleReason[]> {
  if ('record' in freshness || freshness.fingerprint === null) return [];
  if (instance.resume.length === 0) return [];
  const { resumeFoldersOf } = await import('./resume-folder.ts');
  for (const folder of resumeFoldersOf(session, instance)) {
    if (!(await folder.canResume(freshness.fingerprint))) continue;
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
