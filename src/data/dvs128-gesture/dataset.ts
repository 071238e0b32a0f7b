import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { findEventAddon } from '../../network/addon/event-addon.ts';
import {
  type Clip,
  type Clips,
  type EventDataset,
  type ListClipsOptions,
  type ReadClip,
  type ReadClipsOptions,
  SPLITS,
  type Split,
} from '../contract/dataset.ts';
import { showPath } from '../contract/how-to-get.ts';
import { cutAedat3 } from '../events/aedat3-clips.ts';
import { placeSpans } from '../events/clips.ts';
import { parseLabels } from '../events/labels.ts';
import { readWhole } from '../reading/file-tree.ts';
import { isTextFile, LARGEST_RECORDING_BYTES, LARGEST_TEXT_BYTES, parseTrialList } from './check.ts';
import {
  ARCHIVE,
  ARCHIVE_BYTES,
  CLASSES,
  FACTS,
  howToGetGestures,
  labelsNameOf,
  locateGestures,
  PUBLISHED,
  parseRecordingName,
  SENSOR,
  SIMULATED_MARK,
  TRIAL_LISTS,
} from './facts.ts';
import { verifyGestures } from './verify.ts';

/**
 * 11 hand gestures of 29 people under up to five lights, seen by a DVS128; and simulated recordings in its layout.
 *
 * @see Amir et al. 2017, "A Low Power, Fully Event-Based Gesture Recognition System", CVPR
 */
export const DVS128_GESTURE: EventDataset = {
  ...FACTS,
  summary: '11 hand gestures of 29 people under up to five lights, seen by a DVS128 event camera.',
  citation:
    'Amir et al., A Low Power, Fully Event-Based Gesture Recognition System, CVPR 2017, pp. 7243-7252.',
  remarks: [
    `${ARCHIVE} has about ${(ARCHIVE_BYTES / 1e9).toFixed(1)} GB and unpacks to 122 recordings, each with 12 labelled gestures: 98 recordings of users 1-23 to train on and 24 of users 24-29 to test on.`,
    '29 people under five lights would be 145 recordings: 23 were never published.',
    'In user22_led_labels.csv class 9 ends after the next row starts; it is used as published, or as in the original (frames.overlaps: earlier).',
    'The thesis counts 1,056 + 288 clips, since its converter left out the last ten training recordings (train.compat.trials: first-88).',
    'The paper of the data set counts 1,342: 122 x 11, with arm roll, which every recording has twice, counted once. Other libraries count 1,077 + 264 in the same way, with one clip missing.',
  ],
  recordingsNoun: 'recordings',
  howToGet: howToGetGestures,
  verify: (root, options) => verifyGestures(root, options, PUBLISHED),
  isSimulated: areGesturesSimulated,
  listClips: listGestureClips,
  // An archive has to be unpacked from its start for any of its recordings.
  readsWhole: async (root) => (await locateGestures(root)).archive !== null,
  readClips: readGestureClips,
};

/** Whether `SIMULATED.txt` is beside the recordings. */
async function areGesturesSimulated(root: string): Promise<boolean> {
  const place = await locateGestures(root);
  const names = await place.list();
  if (names !== null) return names.includes(SIMULATED_MARK);
  let found = false;
  await place.tree.walk(async (file) => {
    if (file.path === SIMULATED_MARK) found = true;
  });
  return found;
}

/** The clips named by trial lists and labels; for an archive this takes a pass over all of it. */
export async function listGestureClips(root: string, options: ListClipsOptions): Promise<Clips> {
  const shown = showPath(root);
  const place = await locateGestures(root);
  const texts = new Map<string, string>();
  await place.tree.walk(async (file) => {
    if (!isTextFile(file.path)) return;
    texts.set(file.path, new TextDecoder().decode(await readWhole(file, LARGEST_TEXT_BYTES)));
  }, options.signal);
  const need = (name: string): string => {
    const text = texts.get(name);
    if (text !== undefined) return text;
    throw new ReproError('data-corrupt', `${name} is missing.`, {
      where: shown,
      fix: 'Run `./repro run verify`.',
    });
  };
  const list = (split: Split): Clip[] =>
    parseTrialList(need(TRIAL_LISTS[split]))
      .map((recording, trial) => ({ recording, trial }))
      .sort((a, b) => compareCodeUnits(a.recording, b.recording))
      .flatMap(({ recording, trial }) => {
        const file = labelsNameOf(recording);
        const { labels } = parseLabels(need(file), { file, classes: CLASSES.length });
        const { user, light } = parseRecordingName(recording) ?? { user: null, light: null };
        const segments = placeSpans(labels, options.overlaps ?? 'both');
        return segments.map(({ class: label, startUs, endUs }) => ({
          recording,
          user,
          light,
          trial,
          class: label - 1,
          startUs,
          endUs,
        }));
      });
  return { train: list('train'), test: list('test') };
}

interface Row {
  readonly split: Split;
  readonly row: number;
  readonly startUs: number;
  readonly endUs: number;
}

/** Reads the recordings, one at a time: it is in memory as long as its clips are visited. */
async function readGestureClips(
  root: string,
  clips: Clips,
  options: ReadClipsOptions,
  visit: (clip: ReadClip) => Promise<void>,
): Promise<void> {
  const place = await locateGestures(root);
  const wanted = rowsByRecording(clips);
  const missing = new Set(wanted.keys());
  const { signal, invalidEvents } = options;
  let bytes: Uint8Array | undefined;
  await place.tree.walk(async (file) => {
    const rows = wanted.get(file.path);
    if (rows === undefined) return;
    const { path } = file;
    const recording = { file: path, sensor: SENSOR, invalidEvents, addon: findEventAddon() };
    bytes = await readWhole(file, LARGEST_RECORDING_BYTES, bytes);
    const { clips } = cutAedat3(bytes, rows, recording);
    for (const [i, events] of clips.entries()) {
      signal?.throwIfAborted();
      await visit({ ...rows[i]!, events });
    }
    missing.delete(path);
    options.progress?.(wanted.size - missing.size, wanted.size);
  }, signal);
  if (missing.size > 0) {
    throw new ReproError('data-corrupt', `${[...missing].sort(compareCodeUnits).join(', ')}: missing.`, {
      where: showPath(root),
      fix: 'Run `./repro run verify`: it reports what is wrong and where to get it.',
    });
  }
}

function rowsByRecording(clips: Clips): Map<string, Row[]> {
  const rows = new Map<string, Row[]>();
  for (const split of SPLITS) {
    for (const [row, { recording, startUs, endUs }] of clips[split].entries()) {
      const own = rows.get(recording) ?? [];
      own.push({ split, row, startUs: startUs!, endUs: endUs! });
      rows.set(recording, own);
    }
  }
  return rows;
}
