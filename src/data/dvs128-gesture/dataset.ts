import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import { findEventAddon } from '../../network/addon/event-addon.ts';
import type { GestureFacts } from '../../results/dataset-facts.ts';
import type { Clips, ReadClip } from '../contract/clips.ts';
import type { EventDataset, ListClipsOptions, ReadClipsOptions } from '../contract/dataset.ts';
import { showPath } from '../contract/how-to-get.ts';
import { readWhole } from '../reading/file-tree.ts';
import { isTextFile, LARGEST_RECORDING_BYTES, LARGEST_TEXT_BYTES } from './check.ts';
import { cutClips, listTrialClips, rowsByRecording } from './clips.ts';
import { SIMULATED_MARK } from './files.ts';
import { locateGestures } from './locate.ts';
import { verifyGestures } from './verify.ts';

/** Gestures of people under several lights; and simulated recordings in the same layout. */
export function datasetOfGestures(facts: GestureFacts): EventDataset {
  return {
    kind: 'events',
    facts,
    recordingsNoun: 'recordings',
    verify: (root, options) => verifyGestures(root, options, facts),
    isSimulated: (root) => areGesturesSimulated(facts, root),
    listClips: (root, options) => listGestureClips(facts, root, options),
    // An archive has to be unpacked from its start for any of its recordings.
    readsWhole: async (root) => (await locateGestures(facts, root)).archive !== null,
    readClips: (root, clips, options, visit) => readGestureClips(facts, { root, clips, options }, visit),
  };
}

/** Whether `SIMULATED.txt` is beside the recordings. */
async function areGesturesSimulated(facts: GestureFacts, root: string): Promise<boolean> {
  const place = await locateGestures(facts, root);
  const names = await place.list();
  if (names !== null) return names.includes(SIMULATED_MARK);
  let found = false;
  await place.tree.walk(async (file) => {
    if (file.path === SIMULATED_MARK) found = true;
  });
  return found;
}

/** The clips named by trial lists and labels; for an archive this takes a pass over all of it. */
export async function listGestureClips(
  facts: GestureFacts,
  root: string,
  options: ListClipsOptions,
): Promise<Clips> {
  const place = await locateGestures(facts, root);
  const texts = new Map<string, string>();
  await place.tree.walk(async (file) => {
    if (!isTextFile(file.path)) return;
    texts.set(file.path, new TextDecoder().decode(await readWhole(file, LARGEST_TEXT_BYTES)));
  }, options.signal);
  return listTrialClips(facts, texts, { where: showPath(root), overlaps: options.overlaps });
}

/** Reads the recordings, one at a time: it is in memory as long as its clips are visited. */
async function readGestureClips(
  facts: GestureFacts,
  { root, clips, options }: { root: string; clips: Clips; options: ReadClipsOptions },
  visit: (clip: ReadClip) => Promise<void>,
): Promise<void> {
  const place = await locateGestures(facts, root);
  const wanted = rowsByRecording(clips);
  const missing = new Set(wanted.keys());
  const { signal, invalidEvents } = options;
  let bytes: Uint8Array | undefined;
  await place.tree.walk(async (file) => {
    const rows = wanted.get(file.path);
    if (rows === undefined) return;
    const { path } = file;
    const recording = { file: path, sensor: facts.sensor, invalidEvents, addon: findEventAddon() };
    bytes = await readWhole(file, LARGEST_RECORDING_BYTES, bytes);
    for (const clip of cutClips(bytes, rows, recording)) {
      signal?.throwIfAborted();
      await visit(clip);
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
