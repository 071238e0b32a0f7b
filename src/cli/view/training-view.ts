import type { RunEvent } from '../../runner/run/events.ts';
import type { Progress } from '../../stage/define-stage.ts';
import { openView } from './open-view.ts';
import { applyEvent, createRunState } from './run-state.ts';

/** Shows a training in this process like a run of one stage. */
export interface TrainingView {
  readonly progress: (progress: Progress) => void;
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Reports success. */
  readonly finish: () => void;
  /** Ends the view; later output appears below it. */
  readonly close: () => void;
}

/** @param what the model, for the first line */
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
