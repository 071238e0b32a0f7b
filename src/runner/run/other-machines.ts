import type { Facts } from '../freshness/fingerprint.ts';
import type { Session } from '../freshness/session.ts';
import type { RecordedOutput } from '../store/records.ts';
import type { RunEvent } from './events.ts';
import type { FetchStage } from './preparation.ts';
import type { InstanceResult, Preparing } from './scheduler.ts';

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
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** @throws {ReproError} `lock-lost` if another run has taken over: then nothing may be changed any more */
  readonly assertLocked: () => void;
  /** What instances have made in this run, or had made before; both sides add to it. */
  readonly produced: Map<string, readonly RecordedOutput[]>;
}

export interface OtherMachines {
  /** Whether an instance is run there; all others run here. */
  has(id: string): boolean;
  /** As `SchedulerOptions.prepare`: called when everything that the instance depends on is done. */
  prepare(id: string): Promise<Preparing>;
  /** Called after a failure here with `--fail-fast`: what waits there is cancelled, what runs there continues. */
  cancelWaiting(): Promise<void>;
  end(results: ReadonlyMap<string, InstanceResult>): Promise<void>;
  /** Called instead if the run fails as a whole: stops watching and leaves running jobs alone. */
  abandon(): Promise<void>;
}

/** Begins such a run, once the folder is locked and before anything runs here. */
export type StartOtherMachines = (run: SharedRun) => Promise<OtherMachines>;
