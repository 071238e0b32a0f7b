import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import type { Lock } from '../../files/lock.ts';
import { formatCount } from '../../text.ts';
import type { PublishedFile } from '../contract/dataset.ts';
import { checkAnswer } from './answer.ts';
import { mostUnannouncedBytes, requireSpace } from './disk-space.ts';
import { describeAllFailed, describeLostLock, describeWrongChecksum } from './fetch-errors.ts';
import { type Mirror, Mirrors } from './mirrors.ts';
import { PartFile } from './part-file.ts';
import type { FetchOutcome } from './remote-file.ts';
import type { Requester } from './request.ts';
import type { SpeedMeter } from './speed-meter.ts';
import { explainNetworkError, showUrl, TryFailure } from './try-failure.ts';

interface DownloadOptions extends ReceiveOptions {
  /** How often to try an address again without progress. */
  readonly retries: number;
  readonly wait: ((ms: number) => Promise<void>) | undefined;
  /** On the folder. */
  readonly lock: Pick<Lock, 'isLost'>;
}

/**
 * Downloads one file from the first address that has it, or the rest of it if an earlier command left a part.
 *
 * A complete download with a wrong checksum is deleted and tried once more, from another address if there is one.
 *
 * @param target path of the complete file; nothing is there
 * @throws {ReproError} `fetch-failed` with what each address did, `fetch-checksum` after the second wrong download,
 *   `fetch-part-unknown`, `lock-lost` or `disk-...`
 */
export async function downloadFile(
  file: PublishedFile,
  target: string,
  options: DownloadOptions,
): Promise<Exclude<FetchOutcome, 'already there'>> {
  const part = await PartFile.open(target, file.checksum, options.signal);
  try {
    const mirrors = new Mirrors(file.urls, part.source?.url ?? null, options.retries);
    let wrong: { readonly url: string; readonly found: string; readonly sizeBytes: number } | null = null;
    // An earlier command may have been stopped between the last byte and the end.
    let isComplete = part.source !== null && part.bytes === file.sizeBytes;
    for (;;) {
      if (!isComplete) isComplete = await tryNext(file, target, part, mirrors, options);
      // Another command now writes the same part: neither complete nor delete it.
      if (options.lock.isLost()) throw describeLostLock(target);
      if (!isComplete) continue;
      const found = part.digest();
      if (found === file.checksum.hex) {
        const outcome = part.earlierBytes > 0 ? 'resumed' : 'downloaded';
        options.meter.finish(part.bytes);
        await part.complete();
        return outcome;
      }
      const again = { url: part.source?.url ?? '', found, sizeBytes: part.bytes };
      await part.discard();
      if (wrong !== null) throw describeWrongChecksum(file, target, [wrong, again]);
      wrong = again;
      isComplete = false;
      options.note(
        `${file.name}: complete, but its ${file.checksum.kind} ${found} is not ${file.checksum.hex}. Deleted; downloading it once more.`,
      );
      mirrors.startOver(wrong.url);
    }
  } finally {
    await part.close();
  }
}

/** @returns whether the part is now complete */
async function tryNext(
  file: PublishedFile,
  target: string,
  part: PartFile,
  mirrors: Mirrors,
  options: DownloadOptions,
): Promise<boolean> {
  const mirror = mirrors.next;
  if (mirror === undefined) throw describeAllFailed(file, target, part.bytes, mirrors.givenUp);
  if (mirror.waitMs > 0) await waitFor(mirror.waitMs, options);
  mirror.mostBytes = Math.max(mirror.mostBytes, bytesFrom(mirror, part));
  try {
    const note = (text: string): void => options.note(`${file.name}: ${text}`);
    await receive(file, mirror.url, part, mirror.resumes, { ...options, note });
    return true;
  } catch (failure) {
    if (!(failure instanceof TryFailure)) throw failure;
    mirrors.fail(mirror, failure, bytesFrom(mirror, part));
    options.note(
      `${file.name}: ${showUrl(mirror.url)}: ${failure.message}. ${sayNext(mirrors, mirror, options)}`,
    );
    return false;
  }
}

function bytesFrom(mirror: Mirror, part: PartFile): number {
  return part.source?.url === mirror.url ? part.bytes : 0;
}

function sayNext(mirrors: Mirrors, failed: Mirror, { retries }: DownloadOptions): string {
  const { next } = mirrors;
  if (next === undefined) return 'No address is left.';
  const what = next === failed ? 'Trying again' : `Trying ${showUrl(next.url)}`;
  const when = next.waitMs > 0 ? ` in ${(next.waitMs / 1000).toFixed(1)} s` : '';
  const count = next.failures > 0 ? ` (${next.failures} of ${retries})` : '';
  return `${what}${when}${count}.`;
}

async function waitFor(ms: number, { wait, signal }: DownloadOptions): Promise<void> {
  signal?.throwIfAborted();
  if (wait === undefined) {
    // An abort ends the wait; its own error is less useful than the signal's reason.
    await delay(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  } else await wait(ms);
  signal?.throwIfAborted();
}

interface ReceiveOptions {
  readonly requester: Requester;
  readonly meter: SpeedMeter;
  readonly signal: AbortSignal | undefined;
  /** Called when bytes of an earlier download are given up. */
  readonly note: (text: string) => void;
}

/**
 * One request: brings the part to its full length, from its first byte or from where it ends.
 *
 * Returns when the known number of bytes has arrived; the checksum decides whether they are right.
 *
 * @param mayResume whether to ask for the rest only
 * @throws {TryFailure} if the server did not send all of it; what it sent is in the part
 */
async function receive(
  file: PublishedFile,
  url: string,
  part: PartFile,
  mayResume: boolean,
  { requester, meter, signal, note }: ReceiveOptions,
): Promise<void> {
  const version = mayResume && part.bytes > 0 && part.source?.url === url ? part.source.version : null;
  const isRest = version !== null && version.ifRange !== null;
  const asked = isRest ? { offset: part.bytes, version } : { offset: 0, version: null };
  const headers: Record<string, string> = isRest
    ? { range: `bytes=${part.bytes}-`, 'if-range': version.ifRange }
    : {};
  const answer = await requester.get(url, headers);
  try {
    const delivery = checkAnswer(answer, asked, file);
    if (delivery.kind === 'nothing left') return;
    const { offset, totalBytes } = delivery;
    const folder = path.dirname(part.path);
    if (totalBytes !== null) await requireSpace(folder, file.name, totalBytes - part.bytes);
    if (offset === 0) {
      if (part.bytes > 0)
        note(
          `${formatCount(part.bytes, 'byte')} of an earlier download cannot be continued: starting from the beginning.`,
        );
      await part.begin({ url, version: delivery.version });
    }
    meter.start(part.bytes, totalBytes);
    await copy(answer.body, part, totalBytes, { folder, meter, signal });
  } finally {
    answer.close();
  }
}

async function copy(
  body: AsyncIterable<Uint8Array>,
  part: PartFile,
  totalBytes: number | null,
  rest: { readonly folder: string; readonly meter: SpeedMeter; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const mostBytes = totalBytes ?? part.bytes + (await mostUnannouncedBytes(rest.folder));
  for await (const chunk of chunksOf(body, part, totalBytes, rest.signal)) {
    await part.append(chunk.subarray(0, mostBytes - part.bytes));
    rest.meter.update(part.bytes, totalBytes);
    if (part.bytes < mostBytes) continue;
    if (totalBytes === null) await refuseEndless(part);
    return;
  }
  if (totalBytes !== null && part.bytes < totalBytes) throw cutOff('the answer ended', part, totalBytes);
}

/** The chunks of a body; a failure of the connection says how far it came. */
async function* chunksOf(
  body: AsyncIterable<Uint8Array>,
  part: PartFile,
  totalBytes: number | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    signal?.throwIfAborted();
    throw cutOff(explainNetworkError(error).message, part, totalBytes, error);
  }
}

function cutOff(what: string, part: PartFile, totalBytes: number | null, cause?: unknown): TryFailure {
  const of = totalBytes === null ? '' : ` of ${totalBytes.toLocaleString('en-US')}`;
  return new TryFailure('passing', `${what} after ${part.bytes.toLocaleString('en-US')}${of} bytes`, {
    cause,
  });
}

/** The server may be sending anything, so nothing of it is kept. */
async function refuseEndless(part: PartFile): Promise<never> {
  const received = part.bytes;
  await part.discard();
  throw new ReproError(
    'disk-enospc',
    `the server sent ${formatCount(received, 'byte')} without saying how large the file is; more would fill the disk. What arrived was deleted.`,
    { where: part.path, fix: 'Free some space, then run again; or download the file by hand.' },
  );
}
