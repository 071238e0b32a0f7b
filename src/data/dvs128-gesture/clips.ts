import { ReproError } from '../../base/errors.ts';
import type { GestureFacts } from '../../results/dataset-facts.ts';
import type { Overlaps } from '../../results/thesis/compat.ts';
import { type Clip, type Clips, type ReadClip, SPLITS, type Split } from '../contract/clips.ts';
import { cutAedat3 } from '../events/aedat3-clips.ts';
import type { ReadAedat3Options } from '../events/aedat3-parser.ts';
import { placeSpans } from '../events/clips.ts';
import { parseLabels } from '../events/labels.ts';
import { labelsNameOf, parseRecordingName, TRIAL_LISTS } from './files.ts';

/** The names in a trial list, one per line, numbered from 1; blank lines are ignored. */
export function parseTrialLines(text: string): { readonly name: string; readonly line: number }[] {
  return text
    .split('\n')
    .map((line, i) => ({ name: line.trim(), line: i + 1 }))
    .filter(({ name }) => name !== '');
}

/**
 * The clips named by trial lists and labels.
 *
 * @param texts the content of these files, by name
 * @param options.where the data set in messages
 * @throws {ReproError} `data-corrupt` if one is missing; `labels` as `parseLabels`
 */
export function listTrialClips(
  { classes }: Pick<GestureFacts, 'classes'>,
  texts: ReadonlyMap<string, string>,
  { where, overlaps = 'both' }: { readonly where: string; readonly overlaps?: Overlaps | undefined },
): Clips {
  const need = (name: string): string => {
    const text = texts.get(name);
    if (text !== undefined) return text;
    throw new ReproError('data-corrupt', `${name} is missing.`, {
      where,
      fix: 'Run `./repro run verify`.',
    });
  };
  const list = (split: Split): Clip[] => {
    const listed = parseTrialLines(need(TRIAL_LISTS[split])).map(({ name }, trial) => ({ name, trial }));
    const sorted = listed.sort((a, b) => Number(a.name > b.name) - Number(a.name < b.name));
    return sorted.flatMap(({ name: recording, trial }) => {
      const file = labelsNameOf(recording);
      const { labels } = parseLabels(need(file), { file, classes: classes.length });
      const { user, light } = parseRecordingName(recording) ?? { user: null, light: null };
      const segments = placeSpans(labels, overlaps);
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
  };
  return { train: list('train'), test: list('test') };
}

type Row = Omit<ReadClip, 'events'>;

/** By the name of a recording, its rows. */
export function rowsByRecording(clips: Clips): Map<string, Row[]> {
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

/** Cuts a recording into the clips of its rows. Throws like `readAedat3`. */
export function cutClips(
  bytes: Uint8Array,
  rows: readonly Row[],
  recording: ReadAedat3Options,
): readonly ReadClip[] {
  const { clips } = cutAedat3(bytes, rows, recording);
  return rows.map((row, i) => ({ ...row, events: clips[i]! }));
}
