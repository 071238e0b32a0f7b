import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { checkAnswer, showBytes } from './check-answer.ts';
import { mostUnannouncedBytes, requireSpace } from './disk-space.ts';
import { explainNetworkError } from './network-error.ts';
import type { PartFile } from './part-file.ts';
import type { RemoteFile } from './remote-file.ts';
import type { Requester } from './request.ts';
import type { SpeedMeter } from './speed-meter.ts';
import { TryFailure } from './try-failure.ts';

export interface Reception {
  readonly requester: Requester;
  readonly meter: SpeedMeter;
  readonly signal: AbortSignal | undefined;
  /** Told if bytes that were here are given up. */
  readonly note: (text: string) => void;
}

/**
 * One request: brings the part to its full length, from its first byte or from where it ends.
 *
 * Returns as soon as the known number of bytes is here; whether they are the right ones, the checksum says.
 *
 * @param mayResume whether to ask for the rest only
 * @throws {TryFailure} if the server did not send it; whatever it sent is in the part
 */
export async function receive(
  file: RemoteFile,
  url: string,
  part: PartFile,
  mayResume: boolean,
  { requester, meter, signal, note }: Reception,
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
        note(`${showBytes(part.bytes)} that were here cannot be continued: starting from the beginning.`);
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

/** Nothing says that this is a file at all, so none of it is worth the disk. */
async function refuseEndless(part: PartFile): Promise<never> {
  const received = part.bytes;
  await part.discard();
  throw new ReproError(
    'disk-enospc',
    `the server sent ${showBytes(received)} without saying how many there are; more would fill the disk. They were deleted.`,
    { where: part.path, fix: 'Free some space, then run again; or download the file by hand.' },
  );
}
