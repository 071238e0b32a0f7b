import type { Facts } from '../freshness/fingerprint.ts';
import type { Session } from '../freshness/session.ts';
import type { RecordedOutput } from '../store/records.ts';
import type { RunEvent } from './events.ts';
import type { RemoteExecution, Work } from './execution-context.ts';
import type { MachineResources } from './machine.ts';
import type { FetchStage } from './preparation.ts';

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
  /** What instances have made in this run, or had made before. */
  readonly produced: Map<string, readonly RecordedOutput[]>;
}

export interface OtherMachines {
  /** On which everything fits: they, not this one, know what they have. */
  readonly machine: MachineResources;
  /** Whether an instance is run there; all others run here. */
  has(id: string): boolean;
  /** The cores that an instance gets there. */
  cpusOf(id: string): number;
  executionOf(work: Work): RemoteExecution;
  /** Called after a failure with `--fail-fast`: what waits there is cancelled, what runs there continues. */
  cancelWaiting(): Promise<void>;
  /** Called when nothing is under way any more. */
  end(): Promise<void>;
}

/** Begins such a run, once the folder is locked and before anything runs here. */
export type StartOtherMachines = (run: SharedRun) => Promise<OtherMachines>;
