import process from 'node:process';
import cliTruncate from 'cli-truncate';
import type { RunEvent } from '../../runner/run/events.ts';
import { describeAlike, describeHit, describeReasons } from './event-text.ts';
import { describeAfter, formatDone, nameInstances } from './format.ts';
import { LiveArea } from './live-area.ts';
import { renderLive } from './live-lines.ts';
import type { Colors } from './print.ts';
import type { RunState, View } from './run-state.ts';
import { toOneLine } from './safe-text.ts';

/** Often enough to look alive, seldom enough not to take a core from the stages. */
const redrawsPerSecond = 8;

/** The view on a terminal: finished stages scroll away above, running ones are redrawn below, cached ones share one line. */
export class LiveView implements View {
  readonly #area: LiveArea;
  readonly #stream: NodeJS.WriteStream;
  readonly #colors: Colors;
  #cached: string[] = [];
  /** Lines that the next redraw writes: with 200 stages, many events come at once. */
  #lasting: string[] = [];
  #state: RunState | null = null;
  #isQueued = false;
  readonly #timer: NodeJS.Timeout;
  readonly #redrawNow = (): void => this.#redraw();

  constructor(stream: NodeJS.WriteStream, colors: Colors) {
    this.#stream = stream;
    this.#area = new LiveArea(stream);
    this.#colors = colors;
    this.#timer = setInterval(this.#redrawNow, 1000 / redrawsPerSecond);
    this.#timer.unref();
    stream.on('resize', this.#redrawNow);
    process.on('SIGCONT', this.#redrawNow);
  }

  show(event: RunEvent, state: RunState): void {
    this.#state = state;
    const lines = this.#lastingLines(event);
    if (lines.length === 0) return;
    this.#flushCached();
    this.#lasting.push(...lines);
    if (this.#isQueued) return;
    this.#isQueued = true;
    setImmediate(this.#redrawNow);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stream.off('resize', this.#redrawNow);
    process.off('SIGCONT', this.#redrawNow);
    this.#flushCached();
    this.#redraw();
    this.#state = null;
    this.#area.clear();
  }

  #flushCached(): void {
    if (this.#cached.length === 0) return;
    this.#lasting.push(`${this.#colors.green('✔')} up to date: ${nameInstances(this.#cached)}`);
    this.#cached = [];
  }

  #lastingLines(event: RunEvent): string[] {
    const c = this.#colors;
    const id = 'id' in event ? toOneLine(event.id) : '';
    switch (event.kind) {
      case 'cached': {
        const done = describeHit(event);
        if (done !== null) return [`${c.green('✔')} ${id}  ${toOneLine(done)}`];
        this.#cached.push(event.id);
        return [];
      }
      case 'started': {
        // One line: `repro status` lists the reasons in full.
        const line = `  ${id}  ${toOneLine(describeReasons(event.reasons))}`;
        return [c.dim(cliTruncate(line, Math.max(1, this.#area.columns - 1)))];
      }
      case 'finished':
        return [`${c.green('✔')} ${id}  ${formatDone(event)}`];
      case 'failed':
        return [`${c.red('✘')} ${id}  failed${describeAfter(event.seconds)}`];
      case 'would-run':
      case 'note':
      case 'interrupted':
        return describeAlike(event, c);
      case 'blocked':
      case 'job':
      case 'progress':
      case 'metrics':
      case 'traced':
      case 'run-started':
      case 'run-finished':
        return [];
    }
  }

  #redraw(): void {
    this.#isQueued = false;
    if (this.#state === null) return;
    this.#area.refresh();
    const lines = renderLive(this.#state, {
      columns: this.#area.columns,
      rows: this.#area.rows,
      nowMs: Date.now(),
      colors: this.#colors,
    });
    const lasting = this.#lasting;
    this.#lasting = [];
    this.#area.draw(lasting, lines);
  }
}
