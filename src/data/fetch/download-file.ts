import {
  appendFileSync,
  closeSync,
  createWriteStream,
  lstatSync,
  openSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type Dispatcher, request } from 'undici';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { syncFile, syncFolder } from '../../base/files/atomic-file.ts';
import { formatBytes, formatCount } from '../../base/text.ts';
import type { PublishedFile } from '../../results/dataset-facts.ts';
import { showPath } from '../contract/how-to-get.ts';
import { hashFile, kindOfSource, type TreeFile } from '../reading/file-tree.ts';
import { ZipTree } from '../reading/zip-tree.ts';
import { checkBeginning, explainNetworkError, explainStatus, headerOf, TryFailure } from './try-failure.ts';

export interface FetchOptions {
  /** Stops the download; what is here is kept for the next command. */
  readonly signal?: AbortSignal | undefined;
  /** At most ten times a second, and at the end of each file. The total is 0 if nobody says it. */
  readonly progress?: (progress: { done: number; total: number; unit: string; note?: string }) => void;
  /** One sentence about a problem that was overcome. */
  readonly note?: (text: string) => void;
  /** How often to try an address again in a row without new data. */
  readonly retries?: number;
  /** How long to wait for the next byte. */
  readonly stallSeconds?: number;
  /** How much to take of a file whose size neither the list nor the server says; for tests. */
  readonly mostBytes?: number;
  /** Waits between tries; for tests. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export interface DownloadOptions extends Required<FetchOptions> {
  /** The publisher's page, for those who download by hand. */
  readonly homepage: string | undefined;
  /** Makes the requests and follows redirects. */
  readonly dispatcher: Dispatcher;
}

/** The first wait; each further one without new data is twice as long. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** Often enough for a moving display, rare enough to cost nothing. */
const REPORT_EVERY_MS = 100;
export const CHECK_NETWORK =
  'Check the network connection and the variables https_proxy and no_proxy. Behind a proxy: https_proxy=http://HOST:PORT.';

/** Where a file is until it is complete. Not `.part`, which browsers use. */
export function partOf(name: string): string {
  return `${name}.repro-part`;
}

/** Where a zip is while files are taken out of it. */
export function zipIn(folder: string, url: string): string {
  return partOf(path.join(folder, path.posix.basename(new URL(url).pathname)));
}

/** Each use of a part begins here. @throws {ReproError} `fetch-wrong-file` for a link, whose target would be overwritten */
export function partSize(part: string): number {
  const found = lstatSync(part, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return found?.size ?? 0;
  const kind = found.isSymbolicLink() ? 'a symbolic link' : 'something else';
  throw new ReproError('fetch-wrong-file', `expected an incomplete download, found ${kind}.`, {
    where: showPath(part),
    fix: 'It was left as it is. Delete it or move it away, then run the same command again.',
  });
}

/**
 * Downloads one file, whose bytes are in its part until it is complete: from the first address that has it, from where the part ends.
 * Whether all bytes of a part are right, wherever they come from, only the checksum tells at the end. A complete download with a wrong one
 * is deleted and tried once more from its first byte, from another address if there is one. Only for one writer at a time.
 *
 * @throws {ReproError} `fetch-failed` with what each address did, `fetch-checksum` after the second wrong download,
 *   `fetch-wrong-file` if another program has put something in the place of the file, `disk-enospc` if there is no room for it
 */
export async function downloadFile(
  file: PublishedFile,
  folder: string,
  options: DownloadOptions,
): Promise<void> {
  const { name, md5 } = file;
  const target = path.join(folder, name);
  const part = partOf(target);
  const byHand = `By hand: download it from ${options.homepage ?? 'its publisher'} to ${showPath(target)}, then run the same command: it checks what is there.`;
  const hash = async () => (await hashFile(part, options.signal)).md5;
  // An earlier command may have been stopped between the last byte and the end.
  if (partSize(part) > 0 && (await hash()) === md5) return complete(part, target);
  const wrong: string[] = [];
  const failures: TryFailure[] = [];
  const { zipUrl } = file;
  const urls = [...(file.urls ?? []), ...(zipUrl === undefined ? [] : [zipUrl])];
  for (let url = urls.shift(); url !== undefined; url = urls.shift()) {
    const failure = await (url === zipUrl
      ? fetchZipped(url, file, part, options)
      : fetchFrom(url, file, part, options));
    if (failure !== null) {
      failures.push(failure);
      if (urls[0] !== undefined) options.note(`${name}: ${failure.message}. Trying ${urls[0]}.`);
      continue;
    }
    const found = await hash();
    if (found === md5) return complete(part, target);
    wrong.push(`  md5 ${found}, ${formatCount(partSize(part), 'byte')}, from ${url}`);
    rmSync(part);
    if (url === zipUrl) rmSync(zipIn(folder, url));
    if (wrong.length === 2) {
      const text = [`expected md5 ${md5}; found, in 2 downloads:`, ...wrong].join('\n');
      const fix = `The file was changed at its source or on the way. Nothing was kept.\n${byHand}`;
      throw new ReproError('fetch-checksum', text, { where: name, fix });
    }
    const what = `complete, but its md5 ${found} is not ${md5}`;
    options.note(`${name}: ${what}. Deleted; downloading it once more.`);
    urls.push(url);
  }
  const bytes = partSize(part);
  const kept = bytes > 0 ? ` ${formatCount(bytes, 'byte')} are kept, and the download continues there.` : '';
  const mayPass = failures.some(({ isLasting, isUnreachable }) => !isLasting || isUnreachable);
  const text = ['it could not be downloaded:', ...failures.map(({ message }) => `  ${message}`)].join('\n');
  throw new ReproError('fetch-failed', text, {
    where: name,
    fix: [
      ...(mayPass || bytes > 0 ? [`Run the same command again later.${kept}`] : []),
      ...(failures.some(({ isUnreachable }) => isUnreachable) ? [CHECK_NETWORK] : []),
      byHand,
    ].join('\n'),
  });
}

/** Makes the part the complete file, for good. */
async function complete(part: string, target: string): Promise<void> {
  await syncFile(part);
  // The folder is locked against other downloads, but not against a browser that finished meanwhile.
  if ((await kindOfSource(target)) !== null) {
    throw new ReproError('fetch-wrong-file', 'another program put this here during the download.', {
      where: showPath(target),
      fix: 'Run the same command again: it checks this file, and keeps the download until then.',
    });
  }
  await fs.rename(part, target);
  await syncFolder(path.dirname(target));
}

/** Asks one address until the part is complete. @returns why the address was given up; null if it was not */
async function fetchFrom(
  url: string,
  file: PublishedFile,
  part: string,
  options: DownloadOptions,
): Promise<TryFailure | null> {
  const { note, wait, signal } = options;
  let retries = Math.min(1, options.retries);
  let failures = 0;
  let reachedBytes = partSize(part);
  for (;;) {
    try {
      await receive(url, file, part, options);
      return null;
    } catch (failure) {
      if (!(failure instanceof TryFailure)) throw failure;
      const { message, isLasting, isUnreachable, isUnconnected, waitMs } = failure;
      // Without internet, the command ends soon. A server that was reached gets all its tries.
      if (!isUnconnected) retries = options.retries;
      const bytes = partSize(part);
      failures = bytes > reachedBytes ? 0 : failures + 1;
      reachedBytes = Math.max(reachedBytes, bytes);
      if (isLasting || failures > retries) {
        const times = failures > 1 ? ` (${failures} times in a row)` : '';
        return new TryFailure(`${url}: ${message}${times}`, { isLasting, isUnreachable });
      }
      const ms = Math.max(waitMs, backoffMs(failures));
      const count = failures > 0 ? ` (${failures} of ${retries})` : '';
      note(`${file.name}: ${url}: ${message}. Trying again in ${(ms / 1000).toFixed(1)} s${count}.`);
      await wait(ms, signal);
      signal?.throwIfAborted();
    }
  }
}

/** Takes the part out of a zip, which is downloaded beside it unless it is there. @returns why the zip was given up; null if it was not */
async function fetchZipped(
  url: string,
  file: PublishedFile,
  part: string,
  options: DownloadOptions,
): Promise<TryFailure | null> {
  const zip = zipIn(path.dirname(part), url);
  const name = path.basename(zip, partOf(''));
  const mostBytes = file.sizeBytes ?? options.mostBytes;
  for (let isWhole = false; ; isWhole = true) {
    let [isUnpacked, isPiece] = [false, false];
    const had = partSize(zip);
    let why = 'it has none';
    const unpack = async (member: TreeFile) => {
      if (path.posix.basename(member.path) !== file.name) return;
      why = `it would have ${member.sizeBytes} bytes, expected at most ${mostBytes}`;
      if (member.sizeBytes > mostBytes) return;
      await pipeline(member.open(), createWriteStream(part), { signal: options.signal });
      isUnpacked = true;
    };
    try {
      if (had > 0) await new ZipTree(zip, url).walk(unpack);
      if (isUnpacked) return null;
    } catch (error) {
      // A piece of a zip, or a damaged one; other errors are the disk's.
      if (!(error instanceof ReproError)) throw error;
      why = error.message.replace(/\.$/, '');
      isPiece = hasErrorCode(error, 'archive-broken');
      // Else the next command would continue after bytes that are wrong.
      if (hasErrorCode(error, 'data-corrupt')) rmSync(part, { force: true });
    }
    // Its directory is at its end: the rest of a zip without one may be still to come.
    if (isWhole || !isPiece) rmSync(zip, { force: true });
    if (isWhole)
      return new TryFailure(`${url}: no ${file.name} can be read in this zip: ${why}`, { isLasting: true });
    const failure = await fetchFrom(url, { name, md5: '' }, zip, options);
    if (failure !== null) return failure;
  }
}

/**
 * One request: brings the part to its full length, from where it ends or, if the server always sends the whole file, from its first byte.
 *
 * @throws {TryFailure} if the server did not send all of it; what it sent is in the part
 */
async function receive(
  url: string,
  file: PublishedFile,
  part: string,
  options: DownloadOptions,
): Promise<void> {
  const { dispatcher, signal } = options;
  const had = partSize(part);
  const headers = {
    // A file that the server compresses on the way cannot be continued.
    'accept-encoding': 'identity',
    'user-agent': 'plif-repro',
    ...(had > 0 && { range: `bytes=${had}-` }),
  };
  const answer = await request(url, { dispatcher, headers, ...(signal && { signal }) }).catch((error) => {
    signal?.throwIfAborted();
    throw explainNetworkError(error, { isUnreachable: true });
  });
  // For one that is not read to its end.
  answer.body.on('error', () => {});
  try {
    // Without waiting for anything else: a stream that fails meanwhile would forget what it has received.
    const totalBytes = readAnswer(answer, file, part);
    const isRest = answer.statusCode === 206;
    await writeBody(answer.body, file.name, part, { from: isRest ? had : 0, totalBytes }, options);
  } finally {
    answer.body.destroy();
  }
}

/**
 * @returns size of the whole file; null if neither the list nor the server says
 * @throws {TryFailure} if the answer does not bring the bytes that were asked for; {ReproError} if there is no room for them
 */
function readAnswer(
  { statusCode, headers }: Dispatcher.ResponseData,
  { name, sizeBytes }: PublishedFile,
  part: string,
): number | null {
  if (statusCode === 416) {
    // The part is as long as the server's file or longer, and wrong.
    rmSync(part, { force: true });
    throw new TryFailure('the server does not have the rest (416)');
  }
  if (statusCode !== 200 && statusCode !== 206) throw explainStatus(statusCode, headers);
  // Logins, quotas and overloaded servers answer with a page and status 200.
  const type = headerOf(headers, 'content-type');
  if (/^text\/html\b/i.test(type)) {
    throw new TryFailure(`the server sends a web page (${type}) instead of the file`, { isLasting: true });
  }
  const had = statusCode === 206 ? partSize(part) : 0;
  const [, whole] = /\/(\d+)$/.exec(headerOf(headers, 'content-range')) ?? [];
  const length = headerOf(headers, 'content-length');
  const announced = whole !== undefined ? Number(whole) : length === '' ? null : had + Number(length);
  if (sizeBytes !== undefined && announced !== null && announced !== sizeBytes) {
    const [found, expected] = [formatCount(announced, 'byte'), formatCount(sizeBytes, 'byte')];
    const text = `the server announces ${found}, expected ${expected}: it has another file`;
    throw new TryFailure(text, { isLasting: true });
  }
  const totalBytes = sizeBytes ?? announced;
  if (totalBytes !== null) requireSpace(name, path.dirname(part), totalBytes - partSize(part));
  return totalBytes;
}

/** Refuses before the download what does not fit, rather than after hours. */
function requireSpace(name: string, folder: string, bytes: number): void {
  const { bavail, blocks, bsize } = statfsSync(folder);
  // Some network file systems report no blocks at all and have room.
  if (blocks === 0 || bytes <= bavail * bsize) return;
  const text = `${name} needs ${formatBytes(bytes)} more, but only ${formatBytes(bavail * bsize)} are free.`;
  const fix = 'Free some space, then run the same command again.';
  throw new ReproError('disk-enospc', text, { where: showPath(folder), fix });
}

/** Puts a body into the part, after `from` bytes that are kept and up to the known size. @throws {TryFailure} if it ends before; the message says how far it came */
async function writeBody(
  body: AsyncIterable<Uint8Array>,
  name: string,
  part: string,
  { from, totalBytes }: { readonly from: number; readonly totalBytes: number | null },
  { signal, progress, note, mostBytes }: DownloadOptions,
): Promise<void> {
  let bytes = from;
  let reportedMs = Number.NEGATIVE_INFINITY;
  const report = (total: number | null): void => {
    const nowMs = performance.now();
    if (nowMs - reportedMs < REPORT_EVERY_MS && bytes !== total) return;
    reportedMs = nowMs;
    // Without a size there is no percentage; the note has the amount.
    const megabytes = (count: number) => Math.round(count / 1e5) / 10;
    const amount = { note: `${name} · ${formatBytes(bytes)}`, unit: 'MB' };
    progress({ done: megabytes(bytes), total: megabytes(total ?? 0), ...amount });
  };
  let what = 'the answer ended';
  let descriptor: number | null = null;
  try {
    report(totalBytes);
    for await (const chunk of readChunks(body, signal)) {
      if (descriptor === null) {
        if (from === 0) checkBeginning(name, chunk);
        const had = formatCount(partSize(part), 'byte');
        if (from < partSize(part))
          note(`${name}: the server cannot continue after ${had}. Starting from the beginning.`);
        // Not before: an answer without a byte of the file must not replace what an earlier one has brought.
        descriptor = openSync(part, from > 0 ? 'a' : 'w');
      }
      if (totalBytes === null && bytes + chunk.length > mostBytes) {
        rmSync(part);
        const text = `the server sends more than ${formatBytes(mostBytes)}, which is too long for this file`;
        throw new TryFailure(text, { isLasting: true });
      }
      // The checksum decides whether a server that sends more has the right file.
      const wanted = totalBytes === null ? chunk : chunk.subarray(0, totalBytes - bytes);
      appendFileSync(descriptor, wanted);
      bytes += wanted.length;
      report(totalBytes);
      if (bytes === totalBytes) break;
    }
    if (descriptor === null) throw new TryFailure('the server sends nothing', { isLasting: true });
    if (bytes === (totalBytes ?? bytes)) return report(bytes);
  } catch (error) {
    if (!(error instanceof TryFailure) || error.isLasting) throw error;
    what = error.message;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
  const of = totalBytes === null ? '' : ` of ${totalBytes.toLocaleString('en-US')}`;
  throw new TryFailure(`${what} after ${bytes.toLocaleString('en-US')}${of} bytes`);
}

/** The pieces of a body. The first has the two bytes that tell what a file is, unless the body ends before. */
async function* readChunks(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let first: Buffer | null = Buffer.alloc(0);
  try {
    for await (const chunk of body) {
      first &&= Buffer.concat([first, chunk]);
      if (first !== null && first.length < 2) continue;
      yield first ?? chunk;
      first = null;
    }
    if (first !== null && first.length > 0) yield first;
  } catch (error) {
    signal?.throwIfAborted();
    throw explainNetworkError(error);
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
