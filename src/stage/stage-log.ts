import type { Progress } from './define-stage.ts';

/** People read the log afterwards: at most one line per second is useful, and one every thirty shows that it is alive. */
const lineEveryMsAtLeast = 1_000;
const lineEveryMsAtMost = 30_000;

/** Writes a stage's `note`, `warn` and `progress` to its log; progress is thinned out. */
export class StageLog {
  readonly #write: (line: string) => void;
  readonly #nowMs: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastNews: string | null = null;
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
    const sinceMs = this.#nowMs() - this.#lastMs;
    if (sinceMs < lineEveryMsAtLeast) return;
    if (newsOf(progress) !== this.#lastNews || sinceMs >= lineEveryMsAtMost) this.#flush();
  }

  /** Writes the latest progress, before whatever ends the log. */
  end(): void {
    this.#flush();
  }

  #flush(): void {
    if (this.#withheld === null) return;
    const progress = this.#withheld;
    this.#withheld = null;
    this.#lastMs = this.#nowMs();
    this.#lastNews = newsOf(progress);
    const { done, total, unit, note } = progress;
    const figures = `${partsDone(progress, 100)} % (${done} of ${total}${unit === undefined ? '' : ` ${unit}`})`;
    this.#write(note === undefined ? figures : `${figures}  ${note}`);
  }
}

/** How many of `parts` equal parts of the work are done. */
function partsDone({ done, total }: Progress, parts: number): number {
  return total > 0 ? Math.floor((done * parts) / total) : 0;
}

/** Tenths and words: a note in which only figures have changed, such as a loss after each batch, is not news in a log. */
function newsOf(progress: Progress): string {
  return `${partsDone(progress, 10)} ${(progress.note ?? '').replace(/[\d.]+/g, '0')}`;
}
