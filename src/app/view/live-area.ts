import process from 'node:process';
import stringWidth from 'string-width';

/** Synchronized output: terminals that support it show everything in between at once; others ignore it. */
const atOnce = ['\u001b[?2026h', '\u001b[?2026l'] as const;
/** Without wrapping, a line stays one row even where the terminal draws a character wider than expected. */
const unwrapped = ['\u001b[?7l', '\u001b[?7h'] as const;
const cursor = { hide: '\u001b[?25l', show: '\u001b[?25h' } as const;
const eraseRestOfLine = '\u001b[K';
const eraseBelow = '\u001b[J';

/** If a terminal does not report its size. */
const usualColumns = 80;
const usualRows = 24;

/**
 * Signals that end the process at once (Ctrl-\) or hand the terminal to the shell (Ctrl-Z). SIGINT, SIGTERM and SIGHUP are handled where a
 * view is shown (process/ending.ts).
 */
const leavingSignals = ['SIGQUIT', 'SIGTSTP'] as const;

/**
 * The last lines of a terminal, redrawn in place, with lasting lines that scroll away above them.
 *
 * The cursor rests on the empty row below. What is drawn is overwritten, not erased first, so nothing flickers.
 */
export class LiveArea {
  readonly #stream: NodeJS.WriteStream;
  #drawn: readonly string[] = [];
  #columns = 0;
  #isCursorHidden = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  get columns(): number {
    return this.#stream.columns || usualColumns;
  }

  get rows(): number {
    return this.#stream.rows || usualRows;
  }

  /**
   * Writes lasting lines, which may be longer than a row, and below them the lines to redraw.
   *
   * @param lines each narrower than the terminal, and fewer than it has rows
   */
  draw(lasting: readonly string[], lines: readonly string[]): void {
    const isResized = this.#columns !== this.columns;
    const isSame = lines.length === this.#drawn.length && lines.every((line, at) => line === this.#drawn[at]);
    if (lasting.length === 0 && isSame && !isResized) return;
    this.#hideCursor();
    const isCovered = lasting.length === 0 && !isResized;
    this.#stream.write(
      [
        atOnce[0],
        this.#goToStart(),
        isCovered ? '' : eraseBelow,
        ...lasting.map((line) => `${line}\n`),
        unwrapped[0],
        ...lines.map((line) => `${line}${eraseRestOfLine}\n`),
        unwrapped[1],
        isCovered ? eraseBelow : '',
        atOnce[1],
      ].join(''),
    );
    this.#drawn = lines;
    this.#columns = this.columns;
  }

  /** Removes the lines; later output continues in their place. */
  clear(): void {
    if (this.#drawn.length > 0) this.#stream.write(`${this.#goToStart()}${eraseBelow}`);
    this.#drawn = [];
    this.#showCursor();
  }

  /** Until {@link clear}, or until the process ends in any way but SIGKILL: `exit` is emitted even after a crash. */
  #hideCursor(): void {
    if (this.#isCursorHidden) return;
    this.#isCursorHidden = true;
    process.on('exit', this.#showCursor);
    for (const signal of leavingSignals) process.on(signal, this.#leave);
    this.#stream.write(cursor.hide);
  }

  readonly #showCursor = (): void => {
    if (!this.#isCursorHidden) return;
    this.#isCursorHidden = false;
    process.off('exit', this.#showCursor);
    for (const signal of leavingSignals) process.off(signal, this.#leave);
    this.#stream.write(cursor.show);
  };

  /** Without this handler, the signal has its usual effect. The next redraw hides the cursor again. */
  readonly #leave = (signal: NodeJS.Signals): void => {
    this.clear();
    process.kill(process.pid, signal);
  };

  #goToStart(): string {
    // A terminal that became narrower breaks the lines that it already shows. What has scrolled out of it is out of reach.
    const rows = this.#drawn.map((line) => Math.max(1, Math.ceil(stringWidth(line) / this.columns)));
    const up = Math.min(
      rows.reduce((sum, one) => sum + one, 0),
      this.rows - 1,
    );
    return up > 0 ? `\r\u001b[${up}A` : '\r';
  }
}
