import type { RunEvent } from '../../runner/run/events.ts';
import type { RunState } from './run-state.ts';

/** Shows a run; `state` already includes the event. */
export interface View {
  show(event: RunEvent, state: RunState, nowMs: number): void;
  /** Ends the view; later output appears below it. */
  close(): void;
}
