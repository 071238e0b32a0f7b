import type { Executor } from '../../executors/executor.ts';
import type { Tracer } from '../../executors/strace.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import type { Session } from '../freshness/session.ts';
import type { StaleReason } from '../freshness/stale-reason.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import type { RunEvent } from './events.ts';
import type { Grant } from './reservations.ts';

export interface Scratch {
  readonly folder: string;
  /** Copies inputs there. @returns where they are now; null: they are read where they are */
  readonly copyIn: ((inputs: readonly string[]) => Promise<readonly string[]>) | null;
}

export interface ExecutionContext {
  readonly session: Session;
  readonly executor: Executor;
  readonly hostFile: () => string;
  readonly temporary: string;
  /** Where stages write, and what they write is copied from; default: in `temporary`, from where it is moved. */
  readonly scratch?: Scratch;
  readonly environment: NodeJS.ProcessEnv;
  readonly facts: Facts;
  readonly tracer: Tracer | null;
  readonly graceSeconds: number;
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  readonly revision: () => Promise<Revision>;
  readonly assertLocked: () => void;
}

export interface Work {
  readonly instance: StageInstance;
  readonly fingerprint: string;
  readonly parts: FingerprintParts;
  readonly reasons: readonly StaleReason[];
  /** The cores and GPUs that it may use. */
  readonly grant: Grant;
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
