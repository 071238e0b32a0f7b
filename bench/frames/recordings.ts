import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { labelsNameOf, SIMULATED_MARK, TRIAL_LISTS } from '../../src/data/dvs128-gesture/files.ts';
import { encodeAedat3 } from '../../src/data/events/aedat3-encode.ts';
import type { Events } from '../../src/data/events/events.ts';
import { formatLabels, type Label } from '../../src/data/events/labels.ts';
import { GESTURES } from './gestures.ts';

/**
 * `uniform`: pixels and times at random, the worst case for caches. `bursts`: a moving spot of 24 x 24 pixels whose rate rises and falls
 * tenfold, and a tenth of the events anywhere.
 */
export const KINDS = ['uniform', 'bursts'] as const;
export type Kind = (typeof KINDS)[number];

/** One simulated recording, and where its clips are. */
export interface MadeRecording {
  readonly file: string;
  readonly kind: Kind;
  readonly events: number;
  readonly sizeBytes: number;
  readonly labels: readonly Label[];
}

/** The camera's software writes packets of some hundreds to some thousands of events. */
const PACKET_EVENTS = 1000;
/** About 60,000 events a second, as in DVS128 Gesture. */
const MEAN_GAP_US = 16;

/** Writes simulated recordings with labels in the layout of DVS128 Gesture. The last is the only test recording. */
export function writeRecordings(folder: string, count: number, events: number): MadeRecording[] {
  mkdirSync(folder, { recursive: true });
  const made = Array.from({ length: count }, (_, i): MadeRecording => {
    const kind = KINDS[i % KINDS.length]!;
    const name = `user${String(i + 1).padStart(2, '0')}_led.aedat`;
    const content = simulate(kind, events, i + 1);
    const bytes = encodeAedat3(content, { packetEvents: PACKET_EVENTS });
    writeFileSync(path.join(folder, name), bytes);
    const labels = labelsOf(content.tUs[events - 1]!);
    writeFileSync(path.join(folder, labelsNameOf(name)), formatLabels(labels));
    return { file: path.join(folder, name), kind, events, sizeBytes: bytes.length, labels };
  });
  writeLists(
    folder,
    made.map(({ file }) => path.basename(file)),
  );
  return made;
}

function writeLists(folder: string, names: readonly string[]): void {
  writeFileSync(
    path.join(folder, TRIAL_LISTS.train),
    names
      .slice(0, -1)
      .map((name) => `${name}\n`)
      .join(''),
  );
  writeFileSync(path.join(folder, TRIAL_LISTS.test), names.length > 1 ? `${names.at(-1)}\n` : '');
  writeFileSync(path.join(folder, SIMULATED_MARK), 'Simulated events for a benchmark.\n');
}

/** 12 gestures with a pause before each. */
function labelsOf(endUs: number): Label[] {
  const classes = GESTURES.clipsByClass.flatMap((rows, i) => Array<number>(rows).fill(i + 1));
  const each = Math.floor(endUs / classes.length);
  return classes.map((label, i) => ({
    class: label,
    startUs: i * each + Math.floor(each / 20),
    endUs: (i + 1) * each,
  }));
}

function simulate(kind: Kind, length: number, seed: number): Events {
  const events = {
    tUs: new Float64Array(length),
    x: new Uint16Array(length),
    y: new Uint16Array(length),
    p: new Uint8Array(length),
  };
  let state = seed;
  /** A 24-bit number. */
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 8;
  };
  let tUs = 0;
  for (let i = 0; i < length; i++) {
    const phase = (2 * Math.PI * tUs) / 1e6;
    const isSpot = kind === 'bursts' && random() % 10 > 0;
    const gap = isSpot ? MEAN_GAP_US * 10 ** Math.sin(phase) : MEAN_GAP_US;
    tUs += random() % Math.max(1, Math.round(2 * gap));
    const [x, y] = isSpot
      ? [52 + 40 * Math.cos(phase) + (random() % 24), 52 + 40 * Math.sin(phase) + (random() % 24)]
      : [random(), random()];
    events.tUs[i] = tUs;
    events.x[i] = Math.floor(x) % GESTURES.sensor.width;
    events.y[i] = Math.floor(y) % GESTURES.sensor.height;
    events.p[i] = random() & 1;
  }
  return events;
}
