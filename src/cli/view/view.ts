import type { RunEvent } from '../../runner/events.ts';
import type { RunState } from './run-state.ts';

/** What shows a run to a person; `state` already contains the event. */
export interface View {
  show(event: RunEvent, state: RunState, nowMs: number): void;
  /** Ends the view; what follows is printed below it. */
  close(): void;
}
