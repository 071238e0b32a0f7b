import process from 'node:process';
import type { RunEvent } from '../../runner/run/events.ts';
import type { Progress } from '../../stage/define-stage.ts';
import { PlainView } from './plain-view.ts';
import { colorsFor } from './print.ts';
import { applyEvent, createRunState, type RunState, type View } from './run-state.ts';

/** The view that suits stderr: redrawn on a terminal, one line per event elsewhere. */
export async function openView(): Promise<View> {
  const colors = colorsFor(process.stderr);
  if (!isInteractive()) return new PlainView((line) => void process.stderr.write(`${line}\n`), colors);
  const { LiveView } = await import('./live-view.ts');
  return new LiveView(process.stderr, colors);
}

/** Whether stderr is a terminal that can be redrawn, and not one whose output a service collects. */
function isInteractive(): boolean {
  const { CI, GITHUB_ACTIONS, TERM } = process.env;
  const isSet = (value: string | undefined): boolean => !['', '0', 'false'].includes(value ?? '');
  return process.stderr.isTTY === true && TERM !== 'dumb' && !isSet(CI) && !isSet(GITHUB_ACTIONS);
}

/** A view of events, and the state that they lead to. */
export async function showEvents(): Promise<{
  readonly state: RunState;
  readonly take: (event: RunEvent) => void;
  readonly close: () => void;
}> {
  const state = createRunState();
  const view = await openView();
  const take = (event: RunEvent): void => {
    const nowMs = Date.now();
    applyEvent(state, event, nowMs);
    view.show(event, state, nowMs);
  };
  return { state, take, close: () => view.close() };
}

/** Work in this process, shown like a run of one stage. */
interface WorkView {
  readonly progress: (progress: Progress) => void;
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Says that it is done, and closes the view. */
  readonly finish: () => void;
  readonly close: () => void;
}

export async function showWork(id: string, what: string): Promise<WorkView> {
  const { take, close } = await showEvents();
  const startedMs = Date.now();
  take({ kind: 'run-started', ids: [id], jobs: 1 });
  take({ kind: 'started', id, reasons: [{ cue: 'arguments', text: what }], logFile: '' });
  return {
    progress: (progress) => take({ kind: 'progress', id, progress }),
    note: (text) => take({ kind: 'note', id, level: 'note', text }),
    warn: (text) => take({ kind: 'note', id, level: 'warning', text }),
    finish: () => {
      take({ kind: 'finished', id, seconds: (Date.now() - startedMs) / 1000, metrics: {} });
      close();
    },
    close,
  };
}
