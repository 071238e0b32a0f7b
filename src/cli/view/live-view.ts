import cliTruncate from 'cli-truncate';
import { createLogUpdate } from 'log-update';
import type { RunEvent } from '../../runner/events.ts';
import type { Colors } from './colors.ts';
import { describeExpected } from './expected.ts';
import { foldInstances, formatSeconds } from './format.ts';
import { describeHit } from './hits.ts';
import { renderLive } from './live-lines.ts';
import { describeReasons } from './reasons.ts';
import type { RunState } from './run-state.ts';
import type { View } from './view.ts';

/** Often enough to look alive, seldom enough not to take a core from the stages. */
const redrawsPerSecond = 8;

/** The view on a terminal: finished stages scroll away above, running ones are redrawn below, cached ones share one line. */
export class LiveView implements View {
  readonly #stream: NodeJS.WriteStream;
  readonly #colors: Colors;
  readonly #update: ReturnType<typeof createLogUpdate>;
  #cached: string[] = [];
  #state: RunState | null = null;
  readonly #timer: NodeJS.Timeout;

  constructor(stream: NodeJS.WriteStream, colors: Colors) {
    this.#stream = stream;
    this.#colors = colors;
    this.#update = createLogUpdate(stream);
    this.#timer = setInterval(() => this.#redraw(), 1000 / redrawsPerSecond);
    this.#timer.unref();
  }

  show(event: RunEvent, state: RunState): void {
    this.#state = state;
    const line = this.#lastingLine(event);
    if (line !== null) {
      this.#flushCached();
      this.#update.persist(line);
      this.#redraw();
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#flushCached();
    this.#update.clear();
    this.#update.done();
  }

  #flushCached(): void {
    if (this.#cached.length === 0) return;
    this.#update.persist(`${this.#colors.green('✔')} up to date: ${foldInstances(this.#cached).join(', ')}`);
    this.#cached = [];
  }

  #lastingLine(event: RunEvent): string | null {
    const c = this.#colors;
    switch (event.kind) {
      case 'cached': {
        const done = describeHit(event);
        if (done !== null) return `${c.green('✔')} ${event.id}  ${done}`;
        this.#cached.push(event.id);
        return null;
      }
      case 'would-run':
        return `${c.yellow('?')} ${event.id}  would run${describeExpected(event.expected)}: ${describeReasons(event.reasons)}`;
      case 'started':
        // One line: `repro status` lists the reasons in full.
        return c.dim(
          cliTruncate(`  ${event.id}  ${describeReasons(event.reasons)}`, (this.#stream.columns ?? 80) - 1),
        );
      case 'finished':
        return `${c.green('✔')} ${event.id}  ${formatSeconds(event.seconds)}`;
      case 'failed':
        return `${c.red('✘')} ${event.id}  failed after ${formatSeconds(event.seconds)}`;
      case 'note':
        return event.level === 'warning'
          ? `${c.yellow('!')} ${event.id}  ${event.text}`
          : `  ${event.id}  ${event.text}`;
      case 'interrupted':
        return `${c.yellow('-')} ${event.id}  interrupted`;
      case 'blocked':
      case 'progress':
      case 'metrics':
      case 'run-started':
      case 'run-finished':
        return null;
    }
  }

  #redraw(): void {
    if (this.#state === null) return;
    const lines = renderLive(this.#state, {
      columns: this.#stream.columns ?? 80,
      rows: this.#stream.rows ?? 24,
      nowMs: Date.now(),
      colors: this.#colors,
    });
    this.#update(lines.join('\n'));
  }
}
