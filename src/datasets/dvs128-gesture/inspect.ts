import { createHash } from 'node:crypto';
import { findEventAddon } from '../../addon/event-addon.ts';
import { ReproError } from '../../errors.ts';
import { Aedat3Parser, type Aedat3Summary, type ReadAedat3Options } from '../../events/aedat3-parser.ts';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { streamRegular } from '../../files/regular-file.ts';
import type { ReadOptions } from '../contract/dataset.ts';
import { describeProblem } from '../contract/problems.ts';
import { readWhole, type TreeFile } from '../reading/file-tree.ts';
import type { PackedPlace } from '../reading/tar-tree.ts';
import { defineThreadJob, runInThreads } from '../reading/threads.ts';
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

export function isTextFile(name: string): boolean {
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
  // The largest first, so that the last one is short.
  const tasks = files.sort((a, b) => b.sizeBytes - a.sizeBytes || compareCodeUnits(a.path, b.path));
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

const INSPECT_JOB = defineThreadJob<null, DiskFile, FoundFile & { readonly path: string }>(
  'inspect-gestures',
  (_, port) => async (file) => {
    const found = await inspectFile({ ...file, open: () => streamRegular(file.diskPath) }, undefined);
    await port.send({ ...found, path: file.path });
  },
);

async function inspectFile(file: TreeFile, signal: AbortSignal | undefined): Promise<FoundFile> {
  const { path, sizeBytes } = file;
  const hash = createHash('md5');
  if (isTextFile(path)) {
    const bytes = await readWhole(file, LARGEST_TEXT_BYTES);
    return { sizeBytes, md5: hash.update(bytes).digest('hex'), text: new TextDecoder().decode(bytes) };
  }
  const recording = { file: path, sensor: SENSOR, sizeBytes, addon: findEventAddon() };
  const check = parseRecordingName(path) === null ? null : new RecordingCheck(recording);
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
