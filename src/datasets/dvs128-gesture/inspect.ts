import { createHash } from 'node:crypto';
import { ReproError } from '../../errors.ts';
import { readAedat3 } from '../../events/aedat3.ts';
import type { Aedat3Summary } from '../../events/aedat3-parser.ts';
import { readWhole, type TreeFile } from '../file-tree.ts';
import { parseRecordingName, SENSOR, TRIAL_LISTS } from './facts.ts';
import type { GesturePlace } from './locate.ts';

/** The lists and labels are a few hundred bytes each. */
export const LARGEST_TEXT_BYTES = 1 << 20;

/** One file as found. */
export interface FoundFile {
  readonly sizeBytes: number;
  readonly md5: string;
  /** For lists and labels. */
  readonly text?: string;
  /** For recordings: what they contain, or why they cannot be read. */
  readonly recording?: Aedat3Summary | ReproError;
}

export function isText(name: string): boolean {
  return name.endsWith('_labels.csv') || name === TRIAL_LISTS.train || name === TRIAL_LISTS.test;
}

/**
 * Reads every file of `place` to its end: its md5, the text of lists and labels, the events of recordings.
 *
 * @param progress `done` recordings
 */
export async function inspectFiles(
  place: GesturePlace,
  signal: AbortSignal | undefined,
  progress: (done: number) => void,
): Promise<Map<string, FoundFile>> {
  const found = new Map<string, FoundFile>();
  let recordings = 0;
  await place.tree.walk(async (file) => {
    found.set(file.path, await inspectFile(file, signal));
    if (parseRecordingName(file.path) !== null) progress(++recordings);
  }, signal);
  return found;
}

async function inspectFile(file: TreeFile, signal: AbortSignal | undefined): Promise<FoundFile> {
  const hash = createHash('md5');
  const { path, sizeBytes } = file;
  if (isText(path)) {
    const bytes = await readWhole(file, LARGEST_TEXT_BYTES);
    return { sizeBytes, md5: hash.update(bytes).digest('hex'), text: new TextDecoder().decode(bytes) };
  }
  const hashed = passThrough(file.open(), hash);
  if (parseRecordingName(path) === null) {
    for await (const _ of hashed) signal?.throwIfAborted();
    return { sizeBytes, md5: hash.digest('hex') };
  }
  const options = { file: path, sensor: SENSOR, sizeBytes, ...(signal === undefined ? {} : { signal }) };
  let recording: Aedat3Summary | ReproError;
  try {
    recording = await readAedat3(keepOpen(hashed), options, () => {});
  } catch (error) {
    if (!(error instanceof ReproError)) {
      await hashed.return(undefined);
      throw error;
    }
    recording = error;
  }
  // What follows an error still counts for the md5.
  for await (const _ of hashed) signal?.throwIfAborted();
  return { sizeBytes, md5: hash.digest('hex'), recording };
}

async function* passThrough(
  chunks: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** The same chunks, but leaving the loop early does not close their source. */
function keepOpen(chunks: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) };
}
