/** Editors and git change several files at once; a run should see all of them. */
const quietMs = 120;

/** Collects changes until there is a pause. */
export class Changes {
  #files = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #isQuiet = false;
  #wake: (() => void) | null = null;

  note(absolute: string): void {
    this.#files.add(absolute);
    this.#isQuiet = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isQuiet = true;
      this.#wake?.();
    }, quietMs);
  }

  /** Resolves with the changed paths after the next pause, at once if there was one; empty once the signal is aborted. */
  async next(signal: AbortSignal): Promise<readonly string[]> {
    if (!this.#isQuiet && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      this.#wake = null;
    }
    return signal.aborted ? [] : this.take();
  }

  /** The changes so far, which then no longer count. */
  take(): readonly string[] {
    const files = [...this.#files].sort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isQuiet = false;
    this.#files = new Set();
    return files;
  }
}
