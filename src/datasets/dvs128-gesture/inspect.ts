import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { ReproError } from '../../errors.ts';
import { Aedat3Parser, type Aedat3Summary, type ReadAedat3Options } from '../../events/aedat3-parser.ts';
import type { ReadOptions } from '../dataset.ts';
import { type ErrorParts, putTogether, takeApart } from '../error-parts.ts';
import { byName, readWhole, type TreeFile } from '../file-tree.ts';
import { defineThreadJob } from '../thread-job.ts';
import { runInThreads } from '../thread-pool.ts';
import { readOnce, receiveFile } from '../working-space.ts';
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
 * Reads every file of `place` to its end: its md5, the text of lists and labels, the events of recordings. Files in a folder are spread
 * over the threads.
 *
 * @param progress `done` recordings
 */
export async function inspectFiles(
  place: GesturePlace,
  { signal, threads }: Pick<ReadOptions, 'signal' | 'threads'>,
  progress: (done: number) => void,
): Promise<Map<string, FoundFile>> {
  const found = new Map<string, FoundFile>();
  let recordings = 0;
  const note = (name: string, file: FoundFile) => {
    found.set(name, file);
    if (parseRecordingName(name) !== null) progress(++recordings);
  };
  if (place.archive !== null || threads === undefined) {
    await place.tree.walk(async (file) => note(file.path, await inspectFile(file, signal)), signal);
    return found;
  }
  const files: InspectTask[] = [];
  await place.tree.walk(async ({ path, sizeBytes, diskPath = path }) => {
    files.push({ path, sizeBytes, diskPath });
  }, signal);
  // The largest first: whichever comes last should be short.
  const tasks = files.sort((a, b) => b.sizeBytes - a.sizeBytes || byName(a.path, b.path));
  await runInThreads(INSPECT_JOB, {
    ...{ threads, tasks, signal, setup: null },
    receive: ({ path, failure, ...file }) => {
      note(path, failure === null ? file : { ...file, recording: toReproError(failure) });
      return undefined;
    },
  });
  return found;
}

/** One file in a folder, as given to a thread. */
type InspectTask = Pick<TreeFile, 'path' | 'sizeBytes'> & { readonly diskPath: string };

const INSPECT_JOB = defineThreadJob<
  null,
  InspectTask,
  FoundFile & { readonly path: string; readonly failure: ErrorParts | null }
>('inspect-gestures', (_, port) => async (task) => {
  const open = () => createReadStream(task.diskPath);
  const { recording, ...file } = await inspectFile({ ...task, open }, undefined);
  const failed = recording instanceof ReproError;
  await port.send({
    ...file,
    ...(recording === undefined || failed ? {} : { recording }),
    path: task.path,
    failure: failed ? takeApart(recording) : null,
  });
});

function toReproError(parts: ErrorParts): ReproError {
  const error = putTogether(parts);
  if (error instanceof ReproError) return error;
  throw error;
}

async function inspectFile(file: TreeFile, signal: AbortSignal | undefined): Promise<FoundFile> {
  const hash = createHash('md5');
  const { path, sizeBytes } = file;
  if (isText(path)) {
    const bytes = await readWhole(file, LARGEST_TEXT_BYTES);
    return { sizeBytes, md5: hash.update(bytes).digest('hex'), text: new TextDecoder().decode(bytes) };
  }
  if (parseRecordingName(path) === null) {
    for await (const piece of readOnce(file, signal)) hash.update(piece);
    return { sizeBytes, md5: hash.digest('hex') };
  }
  const check = new RecordingCheck({ file: path, sensor: SENSOR, sizeBytes }, hash);
  if (file.diskPath === undefined) {
    for await (const piece of readOnce(file, signal)) check.push(piece);
  } else {
    await receiveFile(file.diskPath, (read) => check.receive(read), signal);
  }
  return { sizeBytes, ...check.finish() };
}

/** Hashes a recording and checks its format up to the first error. */
class RecordingCheck {
  readonly #hash: Hash;
  readonly #parser: Aedat3Parser;
  /** For what follows an error. */
  readonly #rest = new Uint8Array(1 << 16);
  #failure: ReproError | null = null;

  constructor(options: ReadAedat3Options, hash: Hash) {
    this.#hash = hash;
    this.#parser = new Aedat3Parser(options, () => {});
  }

  push(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#try(() => this.#parser.push(piece));
  }

  /** As `push`, with memory for `read` to fill. */
  receive(read: (space: Uint8Array) => number): number {
    let received = 0;
    const readAndHash = (space: Uint8Array): number => {
      received = read(space);
      this.#hash.update(space.subarray(0, received));
      return received;
    };
    if (this.#failure === null) this.#try(() => this.#parser.receive(readAndHash));
    else readAndHash(this.#rest);
    return received;
  }

  finish(): { readonly md5: string; readonly recording: Aedat3Summary | ReproError } {
    const recording = this.#try(() => this.#parser.finish()) ?? this.#failure!;
    return { md5: this.#hash.digest('hex'), recording };
  }

  #try<T>(read: () => T): T | null {
    if (this.#failure !== null) return null;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      this.#failure = error;
      return null;
    }
  }
}
