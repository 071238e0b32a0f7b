import process from 'node:process';
import { formatSeconds } from './format.ts';
import { describeLeft, describeProgress } from './progress-text.ts';
import { describeQueued, listQueued, type RunState } from './run-state.ts';
import { toOneLine } from './safe-text.ts';

/** The first sign of life; many services end a job that prints nothing for ten minutes. */
const firstSeconds = 60;
/** Each silence until the next is twice as long, up to this, so that a training of days does not flood its log. */
const longestSeconds = 300;

/** How many running stages one line names. */
const shownStages = 4;

/** Says in a log that stages still run, when nothing else has been printed for a while. */
export class Heartbeat {
  readonly #write: (line: string) => void;
  readonly #firstMs: number;
  #waitMs: number;
  #timer: NodeJS.Timeout | undefined;
  #state: RunState | null = null;
  #isStopped = false;

  /** $REPRO_HEARTBEAT sets the first silence in seconds; 0 means none at all. */
  constructor(write: (line: string) => void) {
    this.#write = write;
    const wanted = Number(process.env.REPRO_HEARTBEAT || firstSeconds);
    this.#firstMs = (wanted >= 0 ? wanted : firstSeconds) * 1000;
    this.#waitMs = this.#firstMs;
  }

  /** @param isSaid whether a line is printed now */
  follow(state: RunState, { isSaid }: { readonly isSaid: boolean }): void {
    this.#state = state;
    if (!isSaid || this.#firstMs === 0 || this.#isStopped) return;
    this.#waitMs = this.#firstMs;
    this.#wait();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#beat(), this.#waitMs);
    this.#timer.unref();
  }

  #beat(): void {
    const line = this.#state === null ? null : describeRunning(this.#state, Date.now());
    if (line !== null) this.#write(line);
    this.#waitMs = Math.max(this.#firstMs, Math.min(2 * this.#waitMs, longestSeconds * 1000));
    this.#wait();
  }
}

/** `. still running: train@a,1 for 2 min 05 s (42 % · 3.1 batches/s)`; null if nothing runs. */
function describeRunning(state: RunState, nowMs: number): string | null {
  const running = [...state.instances.values()].filter((one) => one.state === 'running');
  const queued = listQueued(state);
  const rest = queued.length === 0 ? '' : `. ${describeQueued(queued)}`;
  if (running.length === 0) return rest === '' ? null : toOneLine(rest);
  const stages = running.slice(0, shownStages).map((one) => {
    const seconds = (nowMs - one.startedMs) / 1000;
    const progress = one.progress === null ? '' : ` (${describeProgress(one, nowMs, 'no-bar').trim()})`;
    return `${toOneLine(one.id)} for ${formatSeconds(seconds)}${progress}`;
  });
  const more = running.length - stages.length;
  const left = describeLeft(state, nowMs);
  return `. still running: ${stages.join(', ')}${more > 0 ? `, and ${more} more` : ''}${left && `; ${left}`}${toOneLine(rest)}`;
}
