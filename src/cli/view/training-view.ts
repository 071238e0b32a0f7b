import type { RunEvent } from '../../runner/events.ts';
import type { Progress } from '../../stage/context.ts';
import { openView } from './open-view.ts';
import { applyEvent, createRunState } from './run-state.ts';

/** What shows a training of this process, as a run of one stage is shown. */
export interface TrainingView {
  readonly progress: (progress: Progress) => void;
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
  /** The training has ended well. */
  readonly finish: () => void;
  /** What follows is printed below. */
  readonly close: () => void;
}

/** @param what what is trained, for the line that starts it */
export async function showTraining(id: string, what: string): Promise<TrainingView> {
  const state = createRunState();
  const view = await openView();
  const startedMs = Date.now();
  const show = (event: RunEvent): void => {
    const nowMs = Date.now();
    applyEvent(state, event, nowMs);
    view.show(event, state, nowMs);
  };
  const say =
    (level: 'note' | 'warning') =>
    (text: string): void =>
      show({ kind: 'note', id, level, text });
  show({ kind: 'run-started', ids: [id], jobs: 1 });
  show({ kind: 'started', id, reasons: [{ cue: 'arguments', text: what }], logFile: '' });
  return {
    progress: (progress) => show({ kind: 'progress', id, progress }),
    note: say('note'),
    warn: say('warning'),
    finish: () => show({ kind: 'finished', id, seconds: (Date.now() - startedMs) / 1000, metrics: {} }),
    close: () => view.close(),
  };
}
