import type { Executor, Origin, StageEnd, StageLaunch } from '../../executors/executor.ts';
import type { Tracer } from '../../executors/strace.ts';
import type { StageTask } from '../../stage/protocol.ts';
import type { StaleReason } from '../freshness/differences.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import type { RecordedOutput } from '../store/records.ts';
import type { RunEvent } from './events.ts';
import type { MachineResources } from './machine.ts';
import type { FetchStage } from './preparation.ts';
import type { Grant } from './reservations.ts';

/** What an earlier runner began. */
export interface FoundWork {
  readonly task: StageTask;
  /** Waits for its end. */
  follow(watch: Pick<StageLaunch, 'onMessage' | 'onStart' | 'logFile'>): Promise<StageEnd>;
}

/** How an instance is executed on another machine. */
export interface RemoteExecution {
  /** For incomplete files; that machine sees it, too. */
  readonly folder: string;
  /** A job that an earlier runner began for the same work, and that runs or has ended; null if there is none. */
  find(): Promise<FoundWork | null>;
  readonly executor: Executor;
}

/** The parts of a result that another machine made: the facts are those of that machine. */
export function partsOfOrigin(
  parts: FingerprintParts,
  { facts, runtime }: Pick<Origin, 'facts' | 'runtime'>,
): FingerprintParts {
  return { ...parts, facts: { ...parts.facts, ...facts }, runtime };
}

interface Revision {
  readonly commit: string | null;
  readonly dirty: boolean | null;
}

/** The git commit of a folder and whether anything differs from it; nulls without git, a repository or a commit. */
export async function readRevision(folder: string): Promise<Revision> {
  try {
    const { simpleGit } = await import('simple-git');
    const git = simpleGit(folder);
    const commit = (await git.revparse(['HEAD'])).trim();
    const { files } = await git.status();
    return { commit, dirty: files.length > 0 };
  } catch {
    return { commit: null, dirty: null };
  }
}
