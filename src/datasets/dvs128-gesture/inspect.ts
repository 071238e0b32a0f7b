import { createHash } from 'node:crypto';
import { ReproError } from '../../errors.ts';
import type { Aedat3Summary } from '../../events/aedat3-parser.ts';
import { streamRegular } from '../../files/regular-file.ts';
import type { ReadOptions } from '../dataset.ts';
import { type ErrorParts, putTogether, takeApart } from '../error-parts.ts';
import { byName, readWhole, type TreeFile } from '../file-tree.ts';
import { defineThreadJob } from '../thread-job.ts';
import { runInThreads } from '../thread-pool.ts';
import { readOnce } from '../working-space.ts';
import { parseRecordingName, SENSOR, TRIAL_LISTS } from './facts.ts';
import type { GesturePlace } from './locate.ts';
import { inspectRecordings, RecordingCheck } from './recording-check.ts';

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
  const files: DiskFile[] = [];
  await place.tree.walk(async ({ path, sizeBytes, diskPath = path }) => {
    files.push({ path, sizeBytes, diskPath });
  }, signal);
  const tasks = groupTasks(files, threads.count);
  await runInThreads(INSPECT_JOB, {
    ...{ threads, tasks, signal, setup: null },
    receive: ({ path, failure, ...file }) => {
      note(path, failure === null ? file : { ...file, recording: toReproError(failure) });
      return undefined;
    },
  });
  return found;
}

/** A file in a folder, as given to a thread. */
type DiskFile = Pick<TreeFile, 'path' | 'sizeBytes'> & { readonly diskPath: string };

/** The largest first: whichever comes last should be short. Two recordings at a time, as long as that leaves no thread without work. */
function groupTasks(files: readonly DiskFile[], threads: number): DiskFile[][] {
  const sorted = [...files].sort((a, b) => b.sizeBytes - a.sizeBytes || byName(a.path, b.path));
  const recordings = sorted.filter(({ path }) => parseRecordingName(path) !== null);
  const size = recordings.length >= 2 * threads ? 2 : 1;
  const groups: DiskFile[][] = [];
  for (let i = 0; i < recordings.length; i += size) groups.push(recordings.slice(i, i + size));
  const others = sorted.filter(({ path }) => parseRecordingName(path) === null);
  return [...groups, ...others.map((file) => [file])];
}

const INSPECT_JOB = defineThreadJob<
  null,
  readonly DiskFile[],
  FoundFile & { readonly path: string; readonly failure: ErrorParts | null }
>('inspect-gestures', (_, port) => async (files) => {
  const found =
    files.length === 2
      ? await inspectRecordings(files, undefined)
      : await Promise.all(
          files.map((file) => inspectFile({ ...file, open: () => streamRegular(file.diskPath) }, undefined)),
        );
  for (const [i, { recording, ...file }] of found.entries()) {
    const failed = recording instanceof ReproError;
    await port.send({
      ...file,
      ...(recording === undefined || failed ? {} : { recording }),
      path: files[i]!.path,
      failure: failed ? takeApart(recording) : null,
    });
  }
});

function toReproError(parts: ErrorParts): ReproError {
  const error = putTogether(parts);
  if (error instanceof ReproError) return error;
  throw error;
}

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
  for await (const piece of readOnce(file, signal)) {
    hash.update(piece);
    check?.push(piece);
  }
  const md5 = hash.digest('hex');
  return check === null ? { sizeBytes, md5 } : { sizeBytes, md5, recording: check.finish() };
}
