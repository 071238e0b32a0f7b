import { ReproError } from '../../errors.ts';
import { readAedat3 } from '../../events/aedat3.ts';
import { clipOfEvents } from '../../events/clip-events.ts';
import { ClipCollector } from '../../events/clips.ts';
import { parseLabels } from '../../events/labels.ts';
import { type Clip, type Clips, type ReadClip, type ReadOptions, SPLITS, type Split } from '../dataset.ts';
import { byName, readWhole } from '../file-tree.ts';
import { showPath } from '../show-path.ts';
import { parseTrialList } from './check.ts';
import { CLASSES, labelsNameOf, parseRecordingName, SENSOR, TRIAL_LISTS } from './facts.ts';
import { isText, LARGEST_TEXT_BYTES } from './inspect.ts';
import { locateGestures } from './locate.ts';

/** The clips named by trial lists and labels; for an archive this takes a pass over all of it. */
export async function listGestureClips(root: string, options: ReadOptions): Promise<Clips> {
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
        return labels.map(({ class: label, startUs, endUs }) => ({
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

/** Streams the recordings and passes on each one's clips as soon as it is read; only one recording's clips are in memory at a time. */
export async function readGestureClips(
  root: string,
  clips: Clips,
  options: ReadOptions & { readonly invalidEvents: 'keep' | 'drop' },
  visit: (clip: ReadClip) => Promise<void>,
): Promise<void> {
  const place = await locateGestures(root);
  const wanted = rowsByRecording(clips);
  const missing = new Set(wanted.keys());
  const { signal, invalidEvents } = options;
  await place.tree.walk(async (file) => {
    const rows = wanted.get(file.path);
    if (rows === undefined) return;
    const collector = new ClipCollector(rows);
    await readAedat3(
      file.open(),
      {
        file: file.path,
        sensor: SENSOR,
        sizeBytes: file.sizeBytes,
        invalidEvents,
        ...(signal === undefined ? {} : { signal }),
      },
      (tUs, x, y, p) => collector.push(tUs, x, y, p),
    );
    for (const [i, events] of collector.clips().entries()) await visit({ ...rows[i]!, events: clipOfEvents(events) });
    missing.delete(file.path);
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
