import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

/** Synchronized output: terminals that support it show everything in between at once; others ignore it. */
const atOnce = ['\u001b[?2026h', '\u001b[?2026l'] as const;
/** Without wrapping, a line stays one row even where the terminal draws a character wider than expected. */
const unwrapped = ['\u001b[?7l', '\u001b[?7h'] as const;
const eraseRestOfLine = '\u001b[K';
const eraseBelow = '\u001b[J';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** If a terminal does not report its size. */
const usualColumns = 80;
const usualRows = 24;

/**
 * The last lines of a terminal, redrawn in place, with lasting lines that scroll away above them.
 *
 * The cursor rests on the empty row below. What is drawn is overwritten, not erased first, so nothing flickers.
 */
export class LiveArea {
  readonly #stream: NodeJS.WriteStream;
  #drawn: readonly string[] = [];
  #columns = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Before its size is used: what is drawn has to fit what the terminal is now. */
  refresh(): void {
    refreshSize(this.#stream);
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
    refreshSize(this.#stream);
    const isResized = this.#columns !== this.columns;
    const isSame = lines.length === this.#drawn.length && lines.every((line, at) => line === this.#drawn[at]);
    if (lasting.length === 0 && isSame && !isResized) return;
    hideCursor(this.#stream, () => this.clear());
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
    showCursor(this.#stream);
  }

  #goToStart(): string {
    // What has scrolled out of the terminal is out of reach.
    const up = Math.min(
      this.#drawn.reduce((sum, line) => sum + countRows(line, this.columns), 0),
      this.rows - 1,
    );
    return up > 0 ? `\r\u001b[${up}A` : '\r';
  }
}

/**
 * Node learns a new size from a signal, which may arrive after the next redraw. This undocumented method is what its own handler of that
 * signal calls.
 */
function refreshSize(stream: NodeJS.WriteStream): void {
  if ('_refreshSize' in stream && typeof stream._refreshSize === 'function') stream._refreshSize();
}

/** How many rows a line takes now: a terminal that became narrower breaks the lines that it already shows. */
export function countRows(line: string, columns: number): number {
  const text = stripVTControlCharacters(line);
  if (stringWidth(text) <= columns) return 1;
  let rows = 1;
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const width = stringWidth(segment);
    if (used + width > columns && used > 0) {
      rows += 1;
      used = 0;
    }
    used += width;
  }
  return rows;
}

const hide = '\u001b[?25l';
const show = '\u001b[?25h';

let hiddenOn: NodeJS.WriteStream | null = null;
let leave = (): void => {};
let isGuarded = false;

/**
 * Hides the cursor until {@link showCursor}, or until the process ends in any way but SIGKILL.
 *
 * @param onSuspend called before Ctrl-Z hands the terminal to the shell
 */
export function hideCursor(stream: NodeJS.WriteStream, onSuspend: () => void): void {
  if (hiddenOn === stream) return;
  guard();
  leave = onSuspend;
  hiddenOn = stream;
  stream.write(hide);
}

export function showCursor(stream: NodeJS.WriteStream): void {
  if (hiddenOn !== stream) return;
  hiddenOn = null;
  stream.write(show);
}

function restore(): void {
  if (hiddenOn !== null) showCursor(hiddenOn);
}

/**
 * `exit` is emitted at every end, even a crash, except by a signal. SIGINT, SIGTERM and SIGHUP are handled where a view is shown
 * (process/ending.ts); SIGQUIT (Ctrl-\) ends the process at once, and SIGTSTP (Ctrl-Z) hands the terminal to the shell.
 */
function guard(): void {
  if (isGuarded) return;
  isGuarded = true;
  process.on('exit', restore);
  if (process.platform === 'win32') return;
  for (const signal of ['SIGQUIT', 'SIGTSTP'] as const) {
    const onSignal = (): void => {
      if (signal === 'SIGTSTP' && hiddenOn !== null) leave();
      restore();
      // Without this handler, the signal has its usual effect. The next redraw hides the cursor again.
      process.off(signal, onSignal);
      process.once('SIGCONT', () => {
        if (!process.listeners(signal).includes(onSignal)) process.on(signal, onSignal);
      });
      process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
}
