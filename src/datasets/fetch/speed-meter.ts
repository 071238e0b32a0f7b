import { performance } from 'node:perf_hooks';

export interface FetchProgress {
  readonly file: string;
  /** Including what an earlier command downloaded. */
  readonly doneBytes: number;
  /** null if neither the list nor the server says. */
  readonly totalBytes: number | null;
  /** Over the last few seconds, without what an earlier command downloaded. */
  readonly bytesPerSecond: number;
}

/** Often enough for a moving display, rare enough to cost nothing. */
const REPORT_EVERY_MS = 100;
/** Long enough to even out bursts, short enough to follow a change. */
const WINDOW_MS = 5_000;

export class SpeedMeter {
  readonly #file: string;
  readonly #report: ((progress: FetchProgress) => void) | undefined;
  /** One per report within the window, oldest first. */
  readonly #samples: { readonly ms: number; readonly doneBytes: number }[] = [];
  #last: Pick<FetchProgress, 'doneBytes' | 'totalBytes'> | null = null;

  constructor(file: string, report: ((progress: FetchProgress) => void) | undefined) {
    this.#file = file;
    this.#report = report;
  }

  /** Forgets the past: the download starts or continues at another position. */
  start(doneBytes: number, totalBytes: number | null): void {
    this.#samples.length = 0;
    this.#sample(performance.now(), doneBytes, totalBytes);
  }

  update(doneBytes: number, totalBytes: number | null): void {
    const now = performance.now();
    const isDue = now - (this.#samples.at(-1)?.ms ?? Number.NEGATIVE_INFINITY) >= REPORT_EVERY_MS;
    if (isDue || doneBytes === totalBytes) this.#sample(now, doneBytes, totalBytes);
  }

  /** The file is complete, and only now may its size be known. */
  finish(doneBytes: number): void {
    const last = this.#last;
    if (last?.doneBytes === doneBytes && last.totalBytes === doneBytes) return;
    this.#sample(performance.now(), doneBytes, doneBytes);
  }

  #sample(now: number, doneBytes: number, totalBytes: number | null): void {
    this.#samples.push({ ms: now, doneBytes });
    while (this.#samples.length > 2 && now - this.#samples[0]!.ms > WINDOW_MS) this.#samples.shift();
    const oldest = this.#samples[0]!;
    const seconds = (now - oldest.ms) / 1000;
    const bytesPerSecond = seconds > 0 ? (doneBytes - oldest.doneBytes) / seconds : 0;
    this.#last = { doneBytes, totalBytes };
    this.#report?.({ file: this.#file, doneBytes, totalBytes, bytesPerSecond });
  }
}
