import { ReproError } from '../../errors.ts';
import { Aedat3Clips } from '../../events/aedat3-clips.ts';
import { placeSpans } from '../../events/clips.ts';
import { parseLabels } from '../../events/labels.ts';
import {
  type Clip,
  type Clips,
  type ListClipsOptions,
  type ReadClip,
  type ReadClipsOptions,
  SPLITS,
  type Split,
} from '../dataset.ts';
import { byName, readWhole } from '../file-tree.ts';
import { showPath } from '../show-path.ts';
import { WorkingSpace } from '../working-space.ts';
import { parseTrialList } from './check.ts';
import { CLASSES, labelsNameOf, parseRecordingName, SENSOR, SIMULATED_MARK, TRIAL_LISTS } from './facts.ts';
import { isText, LARGEST_TEXT_BYTES } from './inspect.ts';
import { locateGestures } from './locate.ts';

/** Whether `SIMULATED.txt` is beside the recordings. */
export async function areGesturesSimulated(root: string): Promise<boolean> {
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
    if (!isText(file.path)) return;
    texts.set(file.path, new TextDecoder().decode(await readWhole(file, LARGEST_TEXT_BYTES)));
  }, options.signal);
  const need = (name: string): string => {
    const text = texts.get(name);
    if (text !== undefined) return text;
    throw new ReproError('data-corrupt', `${name} is missing.`, {
      where: shown,
      fix: 'Run `repro run verify`.',
    });
  };
  const list = (split: Split): Clip[] =>
    parseTrialList(need(TRIAL_LISTS[split]))
      .map((recording, trial) => ({ recording, trial }))
      .sort((a, b) => byName(a.recording, b.recording))
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

/** Whether the recordings are in the archive, which has to be unpacked from its start for any of them. */
export async function isPacked(root: string): Promise<boolean> {
  return (await locateGestures(root)).archive !== null;
}

interface Row {
  readonly split: Split;
  readonly row: number;
  readonly startUs: number;
  readonly endUs: number;
}

/**
 * Reads the recordings, each twice: to check it and find its clips, and once more for each clip as it is visited. Only one
 * recording is in memory at a time, if it is not too large for that.
 */
export async function readGestureClips(
  root: string,
  clips: Clips,
  options: ReadClipsOptions,
  visit: (clip: ReadClip) => Promise<void>,
): Promise<void> {
  const place = await locateGestures(root);
  const wanted = rowsByRecording(clips);
  const missing = new Set(wanted.keys());
  const { signal, invalidEvents, working = new WorkingSpace() } = options;
  await place.tree.walk(async (file) => {
    const rows = wanted.get(file.path);
    if (rows === undefined) return;
    const { path, sizeBytes } = file;
    const reader = new Aedat3Clips(rows, { file: path, sensor: SENSOR, sizeBytes, invalidEvents });
    const kept = await working.keep(file, reader, signal);
    try {
      const { clips } = reader.finish(kept.again);
      for (const [i, events] of clips.entries()) {
        signal?.throwIfAborted();
        await visit({ ...rows[i]!, events });
      }
    } finally {
      await kept.close();
    }
    missing.delete(path);
    options.progress?.(wanted.size - missing.size, wanted.size);
  }, signal);
  if (missing.size > 0) {
    throw new ReproError('data-corrupt', `${[...missing].sort(byName).join(', ')}: missing.`, {
      where: showPath(root),
      fix: 'Run `repro run verify`: it reports what is wrong and where to get it.',
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
