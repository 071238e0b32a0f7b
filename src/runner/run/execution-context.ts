import type { Executor, MachineOrigin, StageEnd, StageLaunch } from '../executors/executor.ts';
import type { StaleReason } from '../freshness/differences.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import type { Freshness } from '../freshness/freshness.ts';
import type { Session } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { StageTask } from '../stage/protocol.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import type { RecordedOutput } from '../store/records.ts';
import type { RunEvent } from './events.ts';
import type { Grant } from './scheduler.ts';
import type { StartState } from './start-state.ts';

export type FetchStage = (
  session: Session,
  instance: StageInstance,
  freshness: Freshness,
  signal: AbortSignal,
) => Promise<boolean>;

/** What a run shares with the code that runs some of its instances on other machines. */
export interface SharedRun {
  readonly session: Session;
  readonly ids: readonly string[];
  readonly isForced: (id: string) => boolean;
  readonly failFast: boolean;
  readonly temporary: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly facts: Facts;
  readonly fetchStage: FetchStage | undefined;
  /** Once aborted, running instances are asked to end and no more start. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** @throws {ReproError} `lock-lost` if another run has taken over: then nothing may be changed any more */
  readonly assertLocked: () => void;
  readonly produced: Map<string, readonly RecordedOutput[]>;
  /** The digest of each input that no stage makes, and the first instance of this run that has read it, or need not. */
  readonly sources: Map<string, { readonly digest: string | null; readonly id: string }>;
}

export interface ExecutionContext extends SharedRun {
  readonly executor: Executor;
  readonly hostFile: () => string;
  /** Absent on this machine. */
  readonly remote?: RemoteExecution;
  readonly graceSeconds: number;
  readonly kill: AbortSignal;
}

export interface Work {
  readonly instance: StageInstance;
  readonly fingerprint: string;
  readonly parts: FingerprintParts;
  readonly reasons: readonly StaleReason[];
  /** The cores and GPUs that it may use. */
  readonly grant: Grant;
}

export interface OtherMachines {
  has(id: string): boolean;
  cpusOf(id: string): number;
  executionOf(work: Work): RemoteExecution;
  /** Called after a failure with `--fail-fast`: what waits there is cancelled, what runs there continues. */
  cancelWaiting(): Promise<void>;
  end(): Promise<void>;
}

/** Begins such a run, once the folder is locked and before anything runs here. */
export type StartOtherMachines = (run: SharedRun) => Promise<OtherMachines>;

export interface FoundWork {
  readonly task: StageTask;
  readonly start: StartState;
  follow(watch: Pick<StageLaunch, 'onMessage' | 'onStart' | 'logFile'>): Promise<StageEnd>;
}

export interface RemoteExecution {
  /** For incomplete files; that machine sees it, too. */
  readonly folder: string;
  /** A job that an earlier runner began for the same work, and that runs or has ended; null if there is none. */
  find(): Promise<FoundWork | null>;
  execute(launch: StageLaunch, start: StartState): Promise<StageEnd>;
}

/** The parts of a result that another machine made: the facts are those of that machine. */
export function partsOfOrigin(
  parts: FingerprintParts,
  { facts, runtime }: Pick<MachineOrigin, 'facts' | 'runtime'>,
): FingerprintParts {
  return { ...parts, facts: { ...parts.facts, ...facts }, runtime };
}
