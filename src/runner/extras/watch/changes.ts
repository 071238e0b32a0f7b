/** Editors and git change several files at once; a run should see all of them. */
const quietMs = 120;

/** A file that changes all the time, such as a log in an input folder, must not put a run off for ever. */
const patienceMs = 2000;

/** Collects changes until there is a pause, or until they have gone on for two seconds. */
export class Changes {
  #files = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #firstMs = 0;
  #isQuiet = false;
  #wake: (() => void) | null = null;

  note(absolute: string): void {
    const nowMs = performance.now();
    if (this.#files.size === 0) this.#firstMs = nowMs;
    this.#files.add(absolute);
    this.#isQuiet = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const leftMs = Math.max(0, this.#firstMs + patienceMs - nowMs);
    this.#timer = setTimeout(
      () => {
        this.#isQuiet = true;
        this.#wake?.();
      },
      Math.min(quietMs, leftMs),
    );
  }

  /** Resolves with the changed paths after the next pause, at once if there was one; empty once the signal is aborted. */
  async next(signal: AbortSignal): Promise<readonly string[]> {
    if (!this.#isQuiet && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          // The signal outlives many pauses.
          signal.removeEventListener('abort', end);
          resolve();
        };
        this.#wake = end;
        signal.addEventListener('abort', end);
      });
      this.#wake = null;
    }
    return signal.aborted ? [] : this.take();
  }

  take(): readonly string[] {
    const files = [...this.#files].sort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isQuiet = false;
    this.#files = new Set();
    return files;
  }
}
