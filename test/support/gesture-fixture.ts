import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { create } from 'tar';
import { encodeAedat3 } from '../../src/data/events/aedat3-encode.ts';
import { formatLabels, type Label } from '../../src/data/events/labels.ts';
import type { GestureFacts } from '../../src/results/dataset-facts.ts';
import { GESTURES } from './datasets.ts';

/** Each gesture's length in µs and number of events: one at the start, then one every 100 µs. */
export const GESTURE_US = 1000;
export const EVENTS_PER_GESTURE = 10;

/** 12 consecutive rows, class 8 twice. */
export const LABELS: readonly Label[] = GESTURES.clipsByClass
  .flatMap((rows, i) => Array<number>(rows).fill(i + 1))
  .map((label, row) => ({ class: label, startUs: (row + 1) * GESTURE_US, endUs: (row + 2) * GESTURE_US }));

/** A recording as long as its labels plus one gesture at either end; all events are ON at pixel (x, 5). */
export function makeRecording(x: number): Uint8Array {
  const length = (LABELS.length + 2) * EVENTS_PER_GESTURE;
  return encodeAedat3(
    {
      tUs: Float64Array.from({ length }, (_, i) => (i * GESTURE_US) / EVENTS_PER_GESTURE),
      x: new Uint16Array(length).fill(x),
      y: new Uint16Array(length).fill(5),
      p: new Uint8Array(length).fill(1),
    },
    { packetEvents: 32 },
  );
}

const TRAIN = ['user02_led.aedat', 'user01_led.aedat', 'user01_natural.aedat'];
const TEST = ['user24_led.aedat'];

/** Every file of a small data set in the layout of DVS128 Gesture, by name. */
export function gestureFiles(simulated: boolean): Map<string, Uint8Array> {
  const text = (value: string) => new TextEncoder().encode(value);
  const files = new Map<string, Uint8Array>();
  for (const [i, name] of [...TRAIN, ...TEST].entries()) {
    files.set(name, makeRecording(i));
    files.set(name.replace('.aedat', '_labels.csv'), text(formatLabels(LABELS)));
  }
  files.set('trials_to_train.txt', text(TRAIN.map((name) => `${name}\n`).join('')));
  files.set('trials_to_test.txt', text(TEST.map((name) => `${name}\n`).join('')));
  if (simulated) files.set('SIMULATED.txt', text('simulated\n'));
  return files;
}

export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** What `gestureFiles(false)` must be. */
export function gestureFacts(archiveMd5 = GESTURES.files[0]!.md5, aboutBytes = 1): GestureFacts {
  const files = gestureFiles(false);
  const sums = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, md5(files.get(name)!)]));
  return {
    ...GESTURES,
    files: [
      { ...GESTURES.files[0]!, aboutBytes, md5: archiveMd5 },
      { name: 'README.txt', md5: md5(new Uint8Array(0)) },
    ],
    recordings: { train: sums(TRAIN), test: sums(TEST) },
  };
}

/** Writes files to `root/DvsGesture`; returns that folder. */
export async function writeGestures(root: string, files: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const folder = path.join(root, 'DvsGesture');
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of files) await writeFile(path.join(folder, name), bytes);
  return folder;
}

/** Packs `root/DvsGesture` into `archive`. */
export async function packGestures(root: string, archive: string): Promise<void> {
  await create({ gzip: true, cwd: root, file: archive, portable: true, mtime: new Date(0) }, ['DvsGesture']);
}
