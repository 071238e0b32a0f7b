import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { streamRegular } from '../../base/files/regular-file.ts';
import { formatBytes } from '../../base/text.ts';
import { findEventAddon } from '../../network/addon/event-addon.ts';
import type { GestureFacts } from '../../results/dataset-facts.ts';
import { SPLITS, type Split } from '../contract/clips.ts';
import type { ReadOptions } from '../contract/dataset.ts';
import { describeProblem, type Problems } from '../contract/problems.ts';
import { type Aedat3Summary, readAedat3 } from '../events/aedat3-parser.ts';
import type { Sensor } from '../events/events.ts';
import { type Label, parseLabels } from '../events/labels.ts';
import { hashChunks, md5Of, readWhole, type TreeFile } from '../reading/file-tree.ts';
import type { PackedPlace } from '../reading/tar-tree.ts';
import { defineThreadJob, runInThreads } from '../reading/threads.ts';
import { parseTrialLines } from './clips.ts';
import { labelsNameOf, OVERLAPPING_LABELS, parseRecordingName, TRIAL_LISTS } from './files.ts';

/** Recording names per split, sorted. */
export type Trials = Readonly<Record<Split, readonly string[]>>;

/**
 * The recordings of both splits according to the lists. Expected ones must be there; without
 * (simulated data), the lists must be consistent: valid names, none twice, none in both.
 */
export function checkTrials(
  found: ReadonlyMap<string, FoundFile>,
  expected: GestureFacts['recordings'] | null,
  problems: Problems,
): Trials {
  const trials: Record<Split, string[]> = { train: [], test: [] };
  for (const split of SPLITS) {
    const list = TRIAL_LISTS[split];
    const text = found.get(list)?.text;
    if (text === undefined) problems.addName('files are missing', list);
    const lines = text === undefined ? [] : parseTrialLines(text);
    const names = lines.map(({ name }) => name);
    const published = expected === null ? null : Object.keys(expected[split]);
    if (published !== null && text !== undefined) {
      for (const name of published.filter((name) => !names.includes(name))) {
        problems.addName(`${list} lacks`, name);
      }
    }
    for (const [i, { name, line }] of lines.entries()) {
      const place = `${list}:${line}`;
      if (parseRecordingName(name) === null)
        problems.addPlace('trial lists are invalid', `${place}  ${name} is not a recording's name`);
      else if (published !== null && !published.includes(name)) {
        problems.addPlace('trial lists are not the published ones', `${place}  ${name} does not belong here`);
      } else if (names.indexOf(name) !== i)
        problems.addPlace('trial lists are invalid', `${place}  ${name} appears twice`);
    }
    if (text !== undefined && names.length === 0)
      problems.addPlace('trial lists are invalid', `${list} is empty`);
    trials[split] = [...(published ?? new Set(names))].sort(compareCodeUnits);
  }
  for (const name of trials.test.filter((name) => trials.train.includes(name))) {
    problems.addPlace('trial lists are invalid', `${name} is in both`);
  }
  return trials;
}

/** Checks one recording against its published md5, if any, and against its format. */
export function checkRecording(
  name: string,
  file: FoundFile | undefined,
  md5: string | null,
  problems: Problems,
  warnings: string[],
): void {
  if (file === undefined) {
    problems.addName('recordings are missing', name);
    return;
  }
  const { recording } = file;
  if (recording !== undefined && 'problem' in recording) {
    const wrong = md5 === null || md5 === file.md5 ? '' : `md5 ${file.md5} is not ${md5}`;
    const cut = recording.isCut ? `cut off, ${formatBytes(file.sizeBytes)}: ` : '';
    problems.addPlace('recordings cannot be read', `${cut}${recording.problem}`, wrong);
    return;
  }
  if (md5 !== null && file.md5 !== md5) {
    problems.addName('recordings are not the published ones', name, `md5 ${file.md5} is not ${md5}`);
    return;
  }
  warnings.push(...(recording?.summary.warnings ?? []));
}

/**
 * Checks a labels file against its format, the rows each class has in every recording, and the recording's time span.
 *
 * @returns its rows; none if they cannot be read
 */
export function checkLabelsFile(
  recordingName: string,
  found: ReadonlyMap<string, FoundFile>,
  { classes, clipsByClass }: GestureFacts,
  { problems, warnings }: { readonly problems: Problems; readonly warnings: string[] },
): readonly Label[] {
  const name = labelsNameOf(recordingName);
  const text = found.get(name)?.text;
  if (text === undefined) {
    problems.addName('labels are missing', name);
    return [];
  }
  let parsed: ReturnType<typeof parseLabels>;
  try {
    parsed = parseLabels(text, { file: name, classes: classes.length });
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    problems.addPlace('labels are invalid', describeProblem(error));
    return [];
  }
  const { labels } = parsed;
  const known = name === OVERLAPPING_LABELS ? ' (A known fault in the published labels.)' : '';
  warnings.push(...parsed.warnings.map((warning) => `${warning}${known}`));
  const rows = classes.map((_, i) => labels.filter((label) => label.class === i + 1).length);
  if (rows.some((count, i) => count !== clipsByClass[i])) {
    const wrong = classes
      .map((_, i) => i)
      .filter((i) => rows[i] !== clipsByClass[i])
      .map((i) => `${rows[i]} of class ${i + 1} instead of ${clipsByClass[i]}`);
    problems.addPlace('labels are invalid', `${name}: ${labels.length} rows; ${wrong.join(', ')}`);
  }
  const recording = found.get(recordingName)?.recording;
  if (recording === undefined || 'problem' in recording) return labels;
  for (const label of labels) {
    const { firstUs, lastUs } = recording.summary;
    if (firstUs === null || lastUs === null || label.startUs > lastUs || label.endUs <= firstUs) {
      problems.addPlace(
        'labels are invalid',
        `${name}: class ${label.class}, ${label.startUs} to ${label.endUs} µs, is outside the recording ` +
          `(${firstUs ?? 'no'} to ${lastUs ?? 'no'} µs)`,
      );
    }
  }
  return labels;
}

/** The lists and labels are a few hundred bytes each. */
export const LARGEST_TEXT_BYTES = 1 << 20;
/** The published recordings have up to about 100 MB; each thread has one in memory. */
export const LARGEST_RECORDING_BYTES = 256 << 20;

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
  { sensor }: GestureFacts,
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
    await place.tree.walk(async (file) => note(file.path, await inspectFile(file, sensor, signal)), signal);
    return found;
  }
  const files: DiskFile[] = [];
  await place.tree.walk(async ({ path, sizeBytes, diskPath = path }) => {
    files.push({ path, sizeBytes, diskPath });
  }, signal);
  // The largest first, so that the last one is short.
  const tasks = files.sort((a, b) => b.sizeBytes - a.sizeBytes || compareCodeUnits(a.path, b.path));
  await runInThreads(INSPECT_JOB, {
    ...{ threads, tasks, signal, setup: sensor },
    receive: ({ path, ...file }) => note(path, file),
  });
  return found;
}

/** A file in a folder, as given to a thread. */
type DiskFile = Pick<TreeFile, 'path' | 'sizeBytes'> & { readonly diskPath: string };

const INSPECT_JOB = defineThreadJob<Sensor, DiskFile, FoundFile & { readonly path: string }>(
  'inspect-gestures',
  (sensor, port) => async (file) => {
    const found = await inspectFile({ ...file, open: () => streamRegular(file.diskPath) }, sensor, undefined);
    await port.send({ ...found, path: file.path });
  },
);

/** The bytes of the file that was inspected last. */
let memory: Uint8Array | undefined;

async function inspectFile(
  file: TreeFile,
  sensor: Sensor,
  signal: AbortSignal | undefined,
): Promise<FoundFile> {
  const { path, sizeBytes } = file;
  const isRecording = parseRecordingName(path) !== null;
  if (!isRecording && !isTextFile(path)) return await hashChunks(file.open(), signal);
  memory = await readWhole(file, isRecording ? LARGEST_RECORDING_BYTES : LARGEST_TEXT_BYTES, memory);
  const found = { sizeBytes, md5: md5Of(memory) };
  if (!isRecording) return { ...found, text: new TextDecoder().decode(memory) };
  return { ...found, recording: checkFormat(memory, path, sensor) };
}

function checkFormat(bytes: Uint8Array, file: string, sensor: Sensor): CheckedRecording {
  try {
    return { summary: readAedat3(bytes, { file, sensor, addon: findEventAddon() }, () => {}) };
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    return { problem: describeProblem(error), isCut: error.code === 'aedat-truncated' };
  }
}
