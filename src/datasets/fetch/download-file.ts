import {
  appendFileSync,
  closeSync,
  openSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { syncFile, syncFolder } from '../../files/atomic-file.ts';
import type { Lock } from '../../files/lock.ts';
import { formatBytes, formatCount } from '../../text.ts';
import type { PublishedFile } from '../contract/dataset.ts';
import { showPath } from '../contract/how-to-get.ts';
import { hashFile, kindOfPath } from '../reading/file-tree.ts';
import { explainNetworkError, explainStatus, headerOf, TryFailure } from './try-failure.ts';

export interface FetchProgress {
  readonly file: string;
  /** Including what an earlier command downloaded. */
  readonly doneBytes: number;
  /** null if neither the list nor the server says. */
  readonly totalBytes: number | null;
  /** Since the last request. */
  readonly bytesPerSecond: number;
}

interface DownloadOptions {
  /** Makes the requests and follows redirects. */
  readonly dispatcher: Dispatcher;
  /** On the folder. */
  readonly lock: Pick<Lock, 'isLost'>;
  readonly signal: AbortSignal | undefined;
  /** How often to try an address again in a row without new data. */
  readonly retries: number;
  readonly wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly progress: (progress: FetchProgress) => void;
  readonly note: (text: string) => void;
}

/** What a download adds to a file's name while it is incomplete. */
export const PART_ENDING = '.part';

/** The first wait; each further one without new data is twice as long. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Often enough for a moving display, rare enough to cost nothing. */
const REPORT_EVERY_MS = 100;
const CHECK_NETWORK =
  'Check the network connection and the variables https_proxy and no_proxy. Behind a proxy: https_proxy=http://HOST:PORT.';

/** Where the bytes of a part came from, if the rest can be asked for. */
interface Source {
  readonly url: string;
  /** A weak one stands for equal meaning, not equal bytes, and is not kept. See RFC 9110, 8.8.1. */
  readonly etag: string;
}

/** Downloads one file, whose bytes are in `NAME.part` until it is complete. Only for one writer at a time. */
export class Download {
  readonly #file: PublishedFile;
  readonly #target: string;
  readonly #part: string;
  readonly #note: string;
  readonly #options: DownloadOptions;
  /** In the part. */
  #bytes = 0;
  #source: Source | null = null;
  /** Whether the part is of another program. Ours have a note. */
  #isForeign = false;
  /** Whether an earlier command downloaded some of the bytes. */
  #isResumed = false;
  /** Addresses still to be tried. */
  #urls: string[] = [];
  /** What each address did that was given up. */
  readonly #failures: string[] = [];
  #isUnreachable = false;

  constructor(file: PublishedFile, folder: string, options: DownloadOptions) {
    this.#file = file;
    this.#target = path.join(folder, file.name);
    this.#part = this.#target + PART_ENDING;
    this.#note = `${this.#part}.json`;
    this.#options = options;
  }

  /**
   * Downloads the file, or the rest of it if an earlier command left a part, from the first address that has it. A complete
   * download with a wrong checksum is deleted and tried once more, from another address if there is one.
   *
   * @throws {ReproError} `fetch-failed` with what each address did, `fetch-checksum` after the second wrong download,
   *   `fetch-wrong-file` or `fetch-part-unknown` if another program has put something in the place of the file or its part,
   *   `disk-enospc` if there is no room for it, `lock-lost`
   */
  async run(): Promise<'downloaded' | 'resumed'> {
    const { name, checksum, urls } = this.#file;
    const byHand = `download it by hand to ${showPath(this.#target)}`;
    await this.#findEarlier();
    // Only the address that the part came from can continue it.
    this.#urls = [...new Set([...urls.filter((url) => url === this.#source?.url), ...urls])];
    // An earlier command may have been stopped between the last byte and the end.
    if (this.#isResumed && (await this.#hash()) === checksum.hex) return this.#complete();
    if (this.#isForeign) {
      // Firefox uses the same ending.
      const text = `another program made this file: the note of where it came from (${path.basename(this.#note)}) is missing.`;
      throw new ReproError('fetch-part-unknown', text, {
        where: showPath(this.#part),
        fix: 'If another program is downloading the file, let it finish. Otherwise delete or rename this file, then run again.',
      });
    }
    const wrong: string[] = [];
    for (let url = this.#urls.shift(); url !== undefined; url = this.#urls.shift()) {
      if (!(await this.#fetchFrom(url))) continue;
      const found = await this.#hash();
      if (found === checksum.hex) return this.#complete();
      wrong.push(`  md5 ${found}, ${formatCount(this.#bytes, 'byte')}, from ${url}`);
      this.#discard();
      if (wrong.length === 2) {
        const text = [`expected md5 ${checksum.hex}; found, in 2 downloads:`, ...wrong].join('\n');
        const fix = `The file was changed at its source or on the way. Nothing was kept. Compare with the data set's own page, and ${byHand}.`;
        throw new ReproError('fetch-checksum', text, { where: name, fix });
      }
      const what = `complete, but its md5 ${found} is not ${checksum.hex}`;
      this.#options.note(`${name}: ${what}. Deleted; downloading it once more.`);
      this.#urls.push(url);
    }
    const count = formatCount(this.keptBytes, 'byte');
    const kept = this.keptBytes > 0 ? ` ${count} are kept, and the download continues there.` : '';
    throw new ReproError('fetch-failed', ['it could not be downloaded:', ...this.#failures].join('\n'), {
      where: name,
      fix: [
        `Run the same command again later.${kept}`,
        ...(this.#isUnreachable ? [CHECK_NETWORK] : []),
        `Or ${byHand}, then run the same command: it checks what is there.`,
      ].join('\n'),
    });
  }

  /** How many bytes the next command can continue after. */
  get keptBytes(): number {
    return this.#source === null ? 0 : this.#bytes;
  }

  /** A part whose note does not fit is written anew, unless it is complete. */
  async #findEarlier(): Promise<void> {
    if ((await kindOfPath(this.#part)) !== 'file') return;
    const text = await fs.readFile(this.#note, 'utf8').catch((error: unknown) => {
      if (hasErrorCode(error, 'ENOENT')) return null;
      throw error;
    });
    this.#isForeign = text === null;
    this.#source = text === null ? null : readNote(text, this.#file.checksum.hex);
    this.#bytes = (await fs.stat(this.#part)).size;
    this.#isResumed = this.#bytes > 0;
  }

  /** Asks one address until the part is complete. @returns false if the address was given up */
  async #fetchFrom(url: string): Promise<boolean> {
    const { retries, note, wait, signal } = this.#options;
    let failures = 0;
    let mostBytes = this.#source?.url === url ? this.#bytes : 0;
    for (;;) {
      try {
        await this.#receive(url);
        return true;
      } catch (failure) {
        if (!(failure instanceof TryFailure)) throw failure;
        const { message, isLasting, waitMs } = failure;
        failures = this.#bytes > mostBytes ? 0 : failures + 1;
        mostBytes = Math.max(mostBytes, this.#bytes);
        const what = `${this.#file.name}: ${url}: ${message}.`;
        if (isLasting || failures > retries) {
          this.#failures.push(`  ${url}: ${message}${failures > 1 ? ` (${failures} times in a row)` : ''}`);
          note(`${what} ${this.#urls[0] === undefined ? 'No address is left.' : `Trying ${this.#urls[0]}.`}`);
          return false;
        }
        const ms = Math.max(waitMs, backoffMs(failures));
        const count = failures > 0 ? ` (${failures} of ${retries})` : '';
        note(`${what} Trying again in ${(ms / 1000).toFixed(1)} s${count}.`);
        await wait(ms, signal);
        signal?.throwIfAborted();
      }
    }
  }

  /**
   * One request: brings the part to its full length, from its first byte or from where it ends.
   *
   * @throws {TryFailure} if the server did not send all of it; what it sent is in the part
   */
  async #receive(url: string): Promise<void> {
    const { dispatcher, signal } = this.#options;
    const source = this.#bytes > 0 && this.#source?.url === url ? this.#source : null;
    const headers = {
      // A file that the server compresses on the way cannot be continued.
      'accept-encoding': 'identity',
      'user-agent': 'plif-repro',
      ...(source && { range: `bytes=${this.#bytes}-`, 'if-range': source.etag }),
    };
    const answer = await request(url, { dispatcher, headers, ...(signal && { signal }) }).catch((error) => {
      signal?.throwIfAborted();
      this.#isUnreachable = true;
      throw explainNetworkError(error);
    });
    // For one that is not read to its end.
    answer.body.on('error', () => {});
    try {
      // Without waiting for anything else: a stream that fails meanwhile would forget what it has received.
      const totalBytes = this.#accept(answer, url, source);
      await this.#copy(answer.body, totalBytes);
    } finally {
      answer.body.destroy();
    }
  }

  /**
   * Decides whether an answer brings the bytes that were asked for, and begins the part anew if it brings the whole file.
   *
   * @returns size of the whole file; null if neither the list nor the server says
   */
  #accept(
    { statusCode, headers }: Dispatcher.ResponseData,
    url: string,
    source: Source | null,
  ): number | null {
    const { sizeBytes } = this.#file;
    const etag = headerOf(headers, 'etag');
    const [type, range] = [headerOf(headers, 'content-type'), headerOf(headers, 'content-range')];
    const [, first, whole] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? [];
    const isRest = statusCode === 206 && source !== null;
    if (
      statusCode === 416 ||
      (isRest && (Number(first) !== this.#bytes || (etag || source.etag) !== source.etag))
    ) {
      this.#source = null;
      const rest = `the rest of this version from byte ${this.#bytes.toLocaleString('en-US')} on`;
      throw new TryFailure(`the server does not have ${rest} (${statusCode} ${range})`);
    }
    if (statusCode !== 200 && !isRest) throw explainStatus(statusCode, headers);
    // Logins, quotas and overloaded servers answer with a page and status 200.
    if (/^text\/html\b/i.test(type)) {
      throw new TryFailure(`the server sends a web page (${type}) instead of the file`, { isLasting: true });
    }
    const length = Number((isRest ? whole : headerOf(headers, 'content-length')) || Number.NaN);
    const announced = Number.isNaN(length) ? null : length;
    if (sizeBytes !== null && announced !== null && announced !== sizeBytes) {
      const [found, expected] = [formatCount(announced, 'byte'), formatCount(sizeBytes, 'byte')];
      const text = `the server announces ${found}, expected ${expected}: it has another file`;
      throw new TryFailure(text, { isLasting: true });
    }
    const totalBytes = sizeBytes ?? announced;
    if (totalBytes !== null) this.#requireSpace(totalBytes - this.#bytes);
    if (!isRest) {
      if (this.#bytes > 0) {
        const lost = `${formatCount(this.#bytes, 'byte')} of an earlier download cannot be continued`;
        this.#options.note(`${this.#file.name}: ${lost}: starting from the beginning.`);
      }
      this.#begin(url, /^"[^"]*"$/.test(etag) ? etag : null);
    }
    return totalBytes;
  }

  /** Refuses before the download what does not fit, rather than after hours. @param bytes to come, beyond those in the part */
  #requireSpace(bytes: number): void {
    const folder = path.dirname(this.#target);
    const { bavail, bsize } = statfsSync(folder);
    // Some network file systems report no blocks at all and have room.
    if (bavail === 0 || bytes <= bavail * bsize) return;
    const text = `${this.#file.name} needs ${formatBytes(bytes)} more, but only ${formatBytes(bavail * bsize)} are free.`;
    const fix = 'Free some space, then run the same command again.';
    throw new ReproError('disk-enospc', text, { where: showPath(folder), fix });
  }

  /**
   * Empties the part before the new note exists: at any moment the bytes are of the version that the note names. A new part
   * follows its note, without which it would not be recognised as ours.
   */
  #begin(url: string, etag: string | null): void {
    this.#assertLocked();
    if (this.#bytes > 0) truncateSync(this.#part);
    this.#bytes = 0;
    this.#isResumed = false;
    this.#source = etag === null ? null : { url, etag };
    const content = { version: 1, checksum: this.#file.checksum, url, ...(etag !== null && { etag }) };
    writeFileSync(this.#note, `${JSON.stringify(content, null, 2)}\n`);
    writeFileSync(this.#part, '');
  }

  #discard(): void {
    this.#assertLocked();
    this.#bytes = 0;
    this.#source = null;
    rmSync(this.#part);
    rmSync(this.#note);
  }

  async #copy(body: AsyncIterable<Uint8Array>, totalBytes: number | null): Promise<void> {
    const [startMs, startBytes] = [performance.now(), this.#bytes];
    let reportedMs = Number.NEGATIVE_INFINITY;
    const report = (total: number | null): void => {
      const nowMs = performance.now();
      if (nowMs - reportedMs < REPORT_EVERY_MS && this.#bytes !== total) return;
      reportedMs = nowMs;
      const bytesPerSecond = (1000 * (this.#bytes - startBytes)) / Math.max(1, nowMs - startMs);
      const done = { doneBytes: this.#bytes, totalBytes: total, bytesPerSecond };
      this.#options.progress({ file: this.#file.name, ...done });
    };
    const descriptor = openSync(this.#part, 'a');
    try {
      report(totalBytes);
      for await (const chunk of this.#read(body, totalBytes)) {
        appendFileSync(descriptor, chunk);
        this.#bytes += chunk.length;
        report(totalBytes);
      }
      report(this.#bytes);
    } finally {
      closeSync(descriptor);
    }
  }

  /** The chunks of a body, up to the known size. @throws {TryFailure} if they end before; the message says how far they came */
  async *#read(body: AsyncIterable<Uint8Array>, totalBytes: number | null): AsyncGenerator<Uint8Array> {
    let what = 'the answer ended';
    try {
      for await (const chunk of body) {
        yield totalBytes === null ? chunk : chunk.subarray(0, totalBytes - this.#bytes);
        // The checksum decides whether a server that sends more has the right file.
        if (this.#bytes === totalBytes) return;
      }
      if (this.#bytes === (totalBytes ?? this.#bytes)) return;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      what = explainNetworkError(error).message;
    }
    const of = totalBytes === null ? '' : ` of ${totalBytes.toLocaleString('en-US')}`;
    throw new TryFailure(`${what} after ${this.#bytes.toLocaleString('en-US')}${of} bytes`);
  }

  async #hash(): Promise<string> {
    return (await hashFile(this.#part, this.#options.signal)).md5;
  }

  /** Makes the part the complete file, for good. */
  async #complete(): Promise<'downloaded' | 'resumed'> {
    this.#assertLocked();
    await syncFile(this.#part);
    // The folder is locked against other downloads, but not against a browser that finished meanwhile.
    if ((await kindOfPath(this.#target)) !== null) {
      throw new ReproError('fetch-wrong-file', 'another program put this here during the download.', {
        where: showPath(this.#target),
        fix: 'Run again: it is checked, and the download is kept until then.',
      });
    }
    await fs.rm(this.#note, { force: true });
    await fs.rename(this.#part, this.#target);
    await syncFolder(path.dirname(this.#target));
    return this.#isResumed ? 'resumed' : 'downloaded';
  }

  /** A process that is suspended for a minute loses its lock, and another one may now write the same part. */
  #assertLocked(): void {
    if (!this.#options.lock.isLost()) return;
    const text = 'another download has taken over this folder, or its lock was deleted.';
    const fix = 'Run the same command again when no other download uses the folder.';
    throw new ReproError('lock-lost', text, { where: showPath(this.#target), fix });
  }
}

/** null for a note that is damaged, about a file with another checksum, or of a server that sent no strong ETag. */
function readNote(text: string, hex: string): Source | null {
  try {
    const { checksum, url, etag } = JSON.parse(text);
    return checksum.hex === hex && typeof url === 'string' && typeof etag === 'string' ? { url, etag } : null;
  } catch {
    return null;
  }
}

/** An abort ends the wait; its own error is less useful than the signal's reason. */
export async function waitFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(ms, undefined, signal && { signal }).catch(() => {});
}

/** Random in its upper half, so that many machines cut off together do not come back together. */
function backoffMs(failures: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(longest * (0.5 + Math.random() / 2));
}
