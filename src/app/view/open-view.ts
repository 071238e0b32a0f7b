import process from 'node:process';
import type { RunEvent } from '../../runner/run/events.ts';
import type { Progress } from '../../runner/stage/define-stage.ts';
import { describeAlike, describeHit, describeReasons } from './event-text.ts';
import { describeAfter, formatDone, formatLeft } from './format.ts';
import { type Colors, colorsFor, toLines, toOneLine } from './print.ts';
import { describeSpeed } from './progress-text.ts';
import { applyEvent, RunState, type RunView } from './run-state.ts';
import { estimateSecondsLeft } from './time-left.ts';

/** The view that suits stderr: redrawn on a terminal, one line per event elsewhere. */
export async function openView(): Promise<RunView> {
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
export async function showEvents() {
  const state = new RunState();
  const view = await openView();
  const take = (event: RunEvent): void => {
    const nowMs = Date.now();
    applyEvent(state, event, nowMs);
    view.show(event, state, nowMs);
  };
  return { state, take, close: () => view.close() };
}

/** Shows work in this process like a run of one stage. */
export async function showWork(id: string, what: string) {
  const { take, close } = await showEvents();
  const startedMs = Date.now();
  take({ kind: 'run-started', ids: [id], jobs: 1 });
  take({ kind: 'started', id, reasons: [{ cue: 'arguments', text: what }], logFile: '' });
  return {
    progress: (progress: Progress) => take({ kind: 'progress', id, progress }),
    note: (text: string) => take({ kind: 'note', id, level: 'note', text }),
    warn: (text: string) => take({ kind: 'note', id, level: 'warning', text }),
    /** Says that it is done, and closes the view. */
    finish: () => {
      take({ kind: 'finished', id, seconds: (Date.now() - startedMs) / 1000, metrics: {} });
      close();
    },
    close,
  };
}

/** A progress line is printed when this much more of the work is done, or after this long, so as not to flood a log. */
const progressShare = 0.25;
const progressSeconds = 30;

/** For CI logs, files and pipes: one line per event. */
export class PlainView implements RunView {
  readonly #write: (line: string) => void;
  readonly #colors: Colors;
  readonly #lastProgress = new Map<string, { share: number; atMs: number }>();

  constructor(write: (line: string) => void, colors: Colors) {
    this.#write = write;
    this.#colors = colors;
  }

  show(event: RunEvent, state: RunState, nowMs: number): void {
    for (const line of this.#linesOf(event, state, nowMs)) this.#write(line);
  }

  close(): void {}

  #linesOf(event: RunEvent, state: RunState, nowMs: number): string[] {
    const c = this.#colors;
    const id = 'id' in event ? toOneLine(event.id) : '';
    switch (event.kind) {
      case 'cached': {
        const done = describeHit(event);
        return [
          done === null ? `${c.dim('=')} ${id}  up to date` : `${c.green('=')} ${id}  ${toOneLine(done)}`,
        ];
      }
      case 'started':
        this.#lastProgress.set(event.id, { share: 0, atMs: nowMs });
        return [`${c.cyan('>')} ${id}  ${toOneLine(describeReasons(event.reasons))}`];
      case 'progress': {
        const { done, total, unit, note } = event.progress;
        const share = total > 0 ? done / total : 0;
        const last = this.#lastProgress.get(event.id);
        const due =
          last === undefined ||
          share - last.share >= progressShare ||
          nowMs - last.atMs >= progressSeconds * 1000;
        if (!due) return [];
        this.#lastProgress.set(event.id, { share, atMs: nowMs });
        const figures = `${Math.floor(share * 100)} % (${done} of ${total}${unit === undefined ? '' : ` ${unit}`})`;
        // Without a known end, only the note says how much is done.
        const parts = [...(total > 0 ? [figures] : []), ...(note === undefined ? [] : [note])];
        const one = state.instances.get(event.id);
        if (one !== undefined) parts.push(...describeSpeed(one, nowMs));
        return parts.length === 0 ? [] : [`  ${id}  ${toOneLine(parts.join('  '))}`];
      }
      case 'job': {
        const on = event.node === null ? '' : ` on ${toOneLine(event.node)}`;
        const why = event.reason === null ? '' : ` (${toOneLine(event.reason)})`;
        // The events of the stage tell how it ended.
        if (!event.isRunning && event.node !== null) return [];
        return [`  ${id}  job ${event.job} ${event.isRunning ? `runs${on}` : `waits${why}`}`];
      }
      case 'finished': {
        const left = estimateSecondsLeft(state.instances.values(), state.mostAtOnce, nowMs);
        const ofRun = left === null ? '' : `; about ${formatLeft(left)} left of the run`;
        return [`${c.green('+')} ${id}  done in ${formatDone(event)}${ofRun}`];
      }
      case 'failed':
        return [
          `${c.red('x')} ${id}  failed${describeAfter(event.seconds)}: ${toLines(event.text)[0] ?? ''}`,
        ];
      // The summary lists what a failure blocks.
      default:
        return describeAlike(event, c);
    }
  }
}
