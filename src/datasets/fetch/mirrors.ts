import type { TryFailure } from './try-failure.ts';

/** The first wait; each further one without progress is twice as long. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/**
 * A try that brings fewer bytes counts as a failure: otherwise a server that sends one byte and hangs up would be asked forever.
 */
const PROGRESS_BYTES = 16_384;

/** One address of a file, and how it has behaved so far. */
export interface Mirror {
  readonly url: string;
  /** In a row, without progress. */
  failures: number;
  /** Before the next try, in ms. */
  waitMs: number;
  /** Whether to ask it for the rest of the file next, or for the whole. */
  resumes: boolean;
  /** The most bytes that the file had while they came from here. */
  mostBytes: number;
  lastFailure: TryFailure | null;
}

/** The addresses of one file in the order in which to try them. */
export class Mirrors {
  readonly #queue: Mirror[];
  readonly #givenUp: Mirror[] = [];
  readonly #retries: number;

  /**
   * @param preferred the address whose bytes are already here, if any
   * @param retries how often to try an address again without progress
   */
  constructor(urls: readonly string[], preferred: string | null, retries: number) {
    const first = urls.filter((url) => url === preferred);
    const others = urls.filter((url) => url !== preferred);
    this.#queue = [...new Set([...first, ...others])].map((url) => ({
      url,
      failures: 0,
      waitMs: 0,
      resumes: true,
      mostBytes: 0,
      lastFailure: null,
    }));
    this.#retries = retries;
  }

  /** The one to try next; undefined if none is left. */
  get next(): Mirror | undefined {
    return this.#queue[0];
  }

  /** Those that were given up, in the order in which they were. */
  get givenUp(): readonly Mirror[] {
    return this.#givenUp;
  }

  /** Notes a failed try and decides which address is next. `partBytes`: how much of the file is here, from that address. */
  fail(mirror: Mirror, failure: TryFailure, partBytes: number): void {
    const progressed = partBytes >= mirror.mostBytes + PROGRESS_BYTES;
    mirror.mostBytes = Math.max(mirror.mostBytes, partBytes);
    mirror.lastFailure = failure;
    mirror.failures = progressed ? 0 : mirror.failures + 1;
    mirror.waitMs = Math.max(failure.waitMs ?? 0, failure.kind === 'stale' ? 0 : backoffMs(mirror.failures));
    mirror.resumes = failure.kind !== 'stale';
    if (failure.kind === 'lasting' || mirror.failures > this.#retries) {
      this.#remove(mirror);
      this.#givenUp.push(mirror);
    } else if (partBytes === 0 || !mirror.resumes) this.#postpone(mirror);
    // Otherwise it continues what it has sent, which another address could not.
  }

  /** After a complete download with a wrong checksum: another address first, and this one without its past. */
  startOver(url: string): void {
    const mirror = this.#queue.find((one) => one.url === url);
    if (mirror === undefined) return;
    Object.assign(mirror, { failures: 0, waitMs: 0, mostBytes: 0 });
    this.#postpone(mirror);
  }

  #postpone(mirror: Mirror): void {
    this.#remove(mirror);
    this.#queue.push(mirror);
  }

  #remove(mirror: Mirror): void {
    this.#queue.splice(this.#queue.indexOf(mirror), 1);
  }
}

/** Random in its upper half, so that many machines cut off together do not come back together. */
function backoffMs(failures: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(longest * (0.5 + Math.random() / 2));
}
