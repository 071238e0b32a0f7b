import process from 'node:process';
import cliTruncate from 'cli-truncate';
import { toOneLine } from './print.ts';

/** More often than this only makes a terminal flicker. */
const redrawMs = 100;

/** If a terminal does not report its width. */
const usualColumns = 80;

/** One line on a terminal's stderr that shows how far something is; nothing elsewhere. */
export class StatusLine {
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  show(text: string): void {
    const nowMs = performance.now();
    const { isTTY, columns } = process.stderr;
    if (isTTY !== true || process.env.TERM === 'dumb' || nowMs - this.#drawnMs < redrawMs) return;
    this.#drawnMs = nowMs;
    const shown = cliTruncate(toOneLine(text), Math.max(1, (columns || usualColumns) - 1));
    process.stderr.write(`\r\u001b[K${shown}`);
    this.#isDrawn = true;
  }

  /** Before anything else is printed. */
  clear(): void {
    if (this.#isDrawn) process.stderr.write('\r\u001b[K');
    this.#isDrawn = false;
  }
}
