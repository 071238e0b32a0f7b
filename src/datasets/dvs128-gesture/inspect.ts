import { createHash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { findEventAddon, type Md5Pair } from '../../addon/event-addon.ts';
import { ReproError } from '../../errors.ts';
import { Aedat3Parser, type Aedat3Summary, type ReadAedat3Options } from '../../events/aedat3-parser.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { openRegularSync, streamRegular } from '../../files/regular-file.ts';
import type { ReadOptions } from '../contract/dataset.ts';
import { describeProblem } from '../contract/problems.ts';
import { readWhole, type TreeFile } from '../reading/file-tree.ts';
import type { PackedPlace } from '../reading/tar-tree.ts';
import { defineThreadJob, runInThreads } from '../reading/threads.ts';
import { readPieces } from '../reading/working-space.ts';
import { parseRecordingName, SENSOR, TRIAL_LISTS } from './facts.ts';

/** The lists and labels are a few hundred bytes each. */
export const LARGEST_TEXT_BYTES = 1 << 20;

export interface FoundFile {
  readonly sizeBytes: number;
  readonly md5: string;
  /** For lists and labels. */
  readonly text?: string;
  readonly recording?: CheckedRecording;
}

/** What a recording contains, or why it cannot be read. */
type CheckedRecording =
  | { readonly summary: Aedat3Summary }
  | { readonly problem: string; readonly isCut: boolean };

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
  place: PackedPlace,
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
  const files: DiskFile[] = [];
  await place.tree.walk(async ({ path, sizeBytes, diskPath = path }) => {
    files.push({ path, sizeBytes, diskPath });
  }, signal);
  const tasks = groupTasks(files, threads.count);
  await runInThreads(INSPECT_JOB, {
    ...{ threads, tasks, signal, setup: null },
    receive: ({ path, ...file }) => {
      note(path, file);
      return undefined;
    },
  });
  return found;
}

/** A file in a folder, as given to a thread. */
type DiskFile = Pick<TreeFile, 'path' | 'sizeBytes'> & { readonly diskPath: string };

/** The largest first, so that the last one is short. Two recordings at a time, unless a thread would have no work. */
function groupTasks(files: readonly DiskFile[], threads: number): DiskFile[][] {
  const sorted = [...files].sort((a, b) => b.sizeBytes - a.sizeBytes || compareCodeUnits(a.path, b.path));
  const recordings = sorted.filter(({ path }) => parseRecordingName(path) !== null);
  const size = recordings.length >= 2 * threads ? 2 : 1;
  const groups: DiskFile[][] = [];
  for (let i = 0; i < recordings.length; i += size) groups.push(recordings.slice(i, i + size));
  const others = sorted.filter(({ path }) => parseRecordingName(path) === null);
  return [...groups, ...others.map((file) => [file])];
}

const INSPECT_JOB = defineThreadJob<null, readonly DiskFile[], FoundFile & { readonly path: string }>(
  'inspect-gestures',
  (_, port) => async (files) => {
    const inspectOne = (file: DiskFile) =>
      inspectFile({ ...file, open: () => streamRegular(file.diskPath) }, undefined);
    const found =
      files.length === 2
        ? await inspectRecordings(files, undefined)
        : await Promise.all(files.map(inspectOne));
    for (const [i, file] of found.entries()) await port.send({ ...file, path: files[i]!.path });
  },
);

async function inspectFile(file: TreeFile, signal: AbortSignal | undefined): Promise<FoundFile> {
  const { path, sizeBytes, diskPath } = file;
  if (parseRecordingName(path) !== null && diskPath !== undefined) {
    const [found] = await inspectRecordings([{ path, sizeBytes, diskPath }], signal);
    return found!;
  }
  const hash = createHash('md5');
  if (isText(path)) {
    const bytes = await readWhole(file, LARGEST_TEXT_BYTES);
    return { sizeBytes, md5: hash.update(bytes).digest('hex'), text: new TextDecoder().decode(bytes) };
  }
  const check =
    parseRecordingName(path) === null ? null : new RecordingCheck({ file: path, sensor: SENSOR, sizeBytes });
  for await (const piece of file.open()) {
    signal?.throwIfAborted();
    hash.update(piece);
    check?.push(piece);
  }
  const md5 = hash.digest('hex');
  return check === null ? { sizeBytes, md5 } : { sizeBytes, md5, recording: check.finish() };
}

/** Checks a recording's format up to the first error. */
class RecordingCheck {
  readonly #parser: Aedat3Parser;
  #failure: ReproError | null = null;

  constructor(options: ReadAedat3Options) {
    this.#parser = new Aedat3Parser(options, () => {});
  }

  push(piece: Uint8Array): void {
    this.#try(() => this.#parser.push(piece));
  }

  finish(): CheckedRecording {
    const summary = this.#try(() => this.#parser.finish());
    const error = this.#failure;
    return error === null
      ? { summary: summary! }
      : { problem: describeProblem(error), isCut: error.code === 'aedat-truncated' };
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

/** Small enough for the processor's cache. */
const PIECE_BYTES = 1 << 17;
/** How often other work gets a turn: every few megabytes. */
const PIECES_A_TURN = 64;
const NOTHING = new Uint8Array(0);

/**
 * Hashes and checks one recording, or two at once, which is faster: the parts by turns, each while it is in the processor's cache. Aborts
 * with the signal's reason.
 */
async function inspectRecordings(
  files: readonly DiskFile[],
  signal: AbortSignal | undefined,
): Promise<FoundFile[]> {
  const hashes = openMd5Pair();
  const checks = files.map(
    ({ path, sizeBytes }) => new RecordingCheck({ file: path, sensor: SENSOR, sizeBytes }),
  );
  const descriptors: number[] = [];
  try {
    for (const { diskPath } of files) descriptors.push(openRegularSync(diskPath));
    const pieces = descriptors.map((one, i) => readPieces(one, 0, files[i]!.sizeBytes, PIECE_BYTES));
    for (let turn = 1; ; turn++) {
      const [first = NOTHING, second = NOTHING] = pieces.map((own) => own.next().value ?? NOTHING);
      if (first.length + second.length === 0) break;
      hashes.update(first, second);
      checks[0]?.push(first);
      checks[1]?.push(second);
      if (turn % PIECES_A_TURN !== 0) continue;
      await setImmediate();
      signal?.throwIfAborted();
    }
    const sums = hashes.finish();
    return files.map(({ sizeBytes }, i) => ({ sizeBytes, md5: sums[i]!, recording: checks[i]!.finish() }));
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

/** MD5 of two files at once: by the addon, if there is one, in two thirds of the time; otherwise one after the other. */
export function openMd5Pair(addon = findEventAddon()): Md5Pair {
  if (addon !== null) return addon.openMd5Pair();
  const hashes = [createHash('md5'), createHash('md5')] as const;
  return {
    update: (first, second) => {
      hashes[0].update(first);
      hashes[1].update(second);
    },
    finish: () => [hashes[0].digest('hex'), hashes[1].digest('hex')],
  };
}
