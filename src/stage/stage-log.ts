import type { Progress } from './define-stage.ts';

/** People read the log afterwards: more lines of progress are of no use. */
const lineEveryMs = 10_000;

/** Writes a stage's `note`, `warn` and `progress` to its log; progress is thinned out. */
export class StageLog {
  readonly #write: (line: string) => void;
  readonly #nowMs: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #withheld: Progress | null = null;

  constructor(write: (line: string) => void, nowMs: () => number = () => performance.now()) {
    this.#write = write;
    this.#nowMs = nowMs;
  }

  say(level: 'note' | 'warning', text: string): void {
    this.#write(level === 'warning' ? `warning: ${text}` : text);
  }

  progress(progress: Progress): void {
    this.#withheld = progress;
    if (this.#nowMs() - this.#lastMs >= lineEveryMs) this.end();
  }

  /** Writes the latest progress, before whatever ends the log. */
  end(): void {
    if (this.#withheld === null) return;
    const { done, total, unit, note } = this.#withheld;
    this.#withheld = null;
    this.#lastMs = this.#nowMs();
    const percent = total > 0 ? Math.floor((done * 100) / total) : 0;
    const figures = `${percent} % (${done} of ${total}${unit === undefined ? '' : ` ${unit}`})`;
    this.#write(note === undefined ? figures : `${figures}  ${note}`);
  }
}
