import type { Progress } from './context.ts';

/** A log is read afterwards, by people: a line a second is as much as they can use, one in thirty shows that it lives. */
const lineEveryMsAtLeast = 1_000;
const lineEveryMsAtMost = 30_000;

/** What a stage says by `note`, `warn` and `progress`, as lines of its log; progress is thinned out. */
export class StageLog {
  readonly #write: (line: string) => void;
  readonly #nowMs: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastTenths = 0;
  #lastWords: string | null = null;
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
    const isDue =
      wordsOf(progress) !== this.#lastWords ||
      partsDone(progress, 10) !== this.#lastTenths ||
      sinceMs >= lineEveryMsAtMost;
    if (isDue) this.#flush();
  }

  /** Writes how far the stage has come, before whatever ends its log. */
  end(): void {
    this.#flush();
  }

  #flush(): void {
    if (this.#withheld === null) return;
    const progress = this.#withheld;
    this.#withheld = null;
    this.#lastMs = this.#nowMs();
    this.#lastTenths = partsDone(progress, 10);
    this.#lastWords = wordsOf(progress);
    const { done, total, unit, note } = progress;
    const figures = `${partsDone(progress, 100)} % (${done} of ${total}${unit === undefined ? '' : ` ${unit}`})`;
    this.#write(note === undefined ? figures : `${figures}  ${note}`);
  }
}

/** Of the work in so many parts, those that are done. */
function partsDone({ done, total }: Progress, parts: number): number {
  return total > 0 ? Math.floor((done * parts) / total) : 0;
}

/** A note whose figures alone have changed, such as a loss after each batch, says nothing new in a log. */
function wordsOf({ note = '' }: Progress): string {
  return note.replace(/[\d.]+/g, '0');
}
