import process from 'node:process';
import type { RunEvent } from '../../runner/run/events.ts';
import type { Progress } from '../../stage/define-stage.ts';
import { describeAlike, describeHit, describeReasons } from './event-text.ts';
import { describeAfter, formatDone, formatSeconds } from './format.ts';
import { type Colors, colorsFor, toLines, toOneLine } from './print.ts';
import { describeProgress } from './progress-text.ts';
import { applyEvent, describeQueued, RunState, type RunView } from './run-state.ts';

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

/** For CI logs, files and pipes: one line per event, and now and then one about what still runs. */
export class PlainView implements RunView {
  readonly #write: (line: string) => void;
  readonly #colors: Colors;
  readonly #heartbeat: Heartbeat;
  readonly #lastProgress = new Map<string, { share: number; atMs: number }>();

  constructor(write: (line: string) => void, colors: Colors) {
    this.#write = write;
    this.#colors = colors;
    this.#heartbeat = new Heartbeat(write);
  }

  show(event: RunEvent, state: RunState, nowMs: number): void {
    const lines = this.#linesOf(event, nowMs);
    if (lines.length > 0) this.#heartbeat.restart(state);
    for (const line of lines) this.#write(line);
  }

  close(): void {
    this.#heartbeat.stop();
  }

  #linesOf(event: RunEvent, nowMs: number): string[] {
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
        return parts.length === 0 ? [] : [`  ${id}  ${toOneLine(parts.join('  '))}`];
      }
      case 'job': {
        const on = event.node === null ? '' : ` on ${toOneLine(event.node)}`;
        const why = event.reason === null ? '' : ` (${toOneLine(event.reason)})`;
        // The events of the stage tell how it ended.
        if (!event.isRunning && event.node !== null) return [];
        return [`  ${id}  job ${event.job} ${event.isRunning ? `runs${on}` : `waits${why}`}`];
      }
      case 'finished':
        return [`${c.green('+')} ${id}  done in ${formatDone(event)}`];
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

/** Silence before the first such line. Many services end a job that prints nothing for ten minutes. */
const firstSeconds = 60;
/** Each silence until the next is twice as long, up to this, so that a training of days does not flood its log. */
const longestSeconds = 300;

/** How many running stages one line names. */
const shownStages = 4;

/**
 * Prints a line about running stages when nothing else has been printed for a while. $REPRO_HEARTBEAT sets the first silence in seconds; 0
 * means no such lines.
 */
class Heartbeat {
  readonly #write: (line: string) => void;
  readonly #firstMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (line: string) => void) {
    this.#write = write;
    const wanted = Number(process.env.REPRO_HEARTBEAT || firstSeconds);
    this.#firstMs = (wanted >= 0 ? wanted : firstSeconds) * 1000;
  }

  /** To be called when a line is printed. */
  restart(state: RunState, waitMs = this.#firstMs): void {
    this.stop();
    if (waitMs === 0) return;
    this.#timer = setTimeout(() => {
      const line = describeRunning(state, Date.now());
      if (line !== null) this.#write(line);
      this.restart(state, Math.max(this.#firstMs, Math.min(2 * waitMs, longestSeconds * 1000)));
    }, waitMs);
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** `. still running: train@a,1 for 2 min 05 s (42 % · 3.1 batches/s)`; null if nothing runs. */
function describeRunning(state: RunState, nowMs: number): string | null {
  const running = state.listIn('running');
  const queued = state.listQueued();
  const rest = queued.length === 0 ? '' : `. ${describeQueued(queued)}`;
  if (running.length === 0) return rest === '' ? null : toOneLine(rest);
  const stages = running.slice(0, shownStages).map((one) => {
    const seconds = (nowMs - one.startedMs) / 1000;
    const progress = one.progress === null ? '' : ` (${describeProgress(one, nowMs, 'no-bar').trim()})`;
    return `${toOneLine(one.id)} for ${formatSeconds(seconds)}${progress}`;
  });
  const more = running.length - stages.length;
  return `. still running: ${stages.join(', ')}${more > 0 ? `, and ${more} more` : ''}${toOneLine(rest)}`;
}
