import { encodeAedat3 } from '../events/aedat3-encode.ts';
import { formatLabels } from '../events/labels.ts';
import { GESTURES } from './motion.ts';
import { CAMERA, simulateRecording } from './recording.ts';
import { findLight } from './scene.ts';

/** Raise this whenever the same options give different events, so that two data sets with one seed can be told apart. */
export const MODEL_VERSION = 1;

/** As in DVS128 Gesture, users 1 to 23 are for training; there, 24 to 29 are for testing. */
const FIRST_TEST_USER = 24;

export interface SimulationOptions {
  readonly seed: number;
  /** Users 1, 2, ...; 1 to 23 of them. */
  readonly trainUsers: number;
  /** Users 24, 25, ...; 1 to 76 of them. */
  readonly testUsers: number;
  /** One recording of each user under each of them. */
  readonly lights: readonly string[];
  /** At least 0.1, which is less than some people take to start. */
  readonly gestureSeconds: number;
  /** Divides the camera's thresholds; 1 if left out. */
  readonly sensitivity?: number;
  /** The recordings to make, without extension; all users under all lights if left out. */
  readonly only?: readonly string[];
}

interface PlannedRecording {
  /** `userNN_light`, its files' name without extension. */
  readonly name: string;
  readonly user: number;
  readonly light: string;
  readonly split: 'train' | 'test';
}

/** The recordings of a simulated data set, by user and then by light in the order of the options. */
export function planRecordings(options: SimulationOptions): PlannedRecording[] {
  const { trainUsers, testUsers, lights, only } = options;
  const recordings: PlannedRecording[] = [];
  const add = (user: number, split: 'train' | 'test') => {
    for (const light of lights) {
      recordings.push({ name: `user${String(user).padStart(2, '0')}_${light}`, user, light, split });
    }
  };
  for (let user = 1; user <= trainUsers; user++) add(user, 'train');
  for (let user = FIRST_TEST_USER; user < FIRST_TEST_USER + testUsers; user++) add(user, 'test');
  return only === undefined ? recordings : recordings.filter(({ name }) => only.includes(name));
}

/** The files about all recordings, by name: lists, names of the classes, and what this is. */
export function formatDatasetTexts(options: SimulationOptions): Readonly<Record<string, string>> {
  const recordings = planRecordings(options);
  return {
    'SIMULATED.txt': describeSimulation(options),
    'gesture_mapping.csv': formatGestureMapping(),
    'trials_to_train.txt': formatTrialList(recordings, 'train'),
    'trials_to_test.txt': formatTrialList(recordings, 'test'),
  };
}

/** Simulates a recording. @returns its events, as AEDAT 3.1, and its labels, as the text of their file */
export function simulateFiles(options: SimulationOptions, recording: PlannedRecording) {
  const { seed, gestureSeconds, sensitivity = 1 } = options;
  const { user, light } = recording;
  const { events, labels } = simulateRecording({ seed, user, light, gestureSeconds, sensitivity });
  return {
    aedat: encodeAedat3(events, { comments: describeRecording(options, recording) }),
    labels: formatLabels(labels),
    clips: labels.length,
    events: events.tUs.length,
  };
}

/** `trials_to_train.txt` or `trials_to_test.txt`: one file name per line. */
function formatTrialList(recordings: readonly PlannedRecording[], split: 'train' | 'test'): string {
  return recordings
    .filter((recording) => recording.split === split)
    .map((recording) => `${recording.name}.aedat\n`)
    .join('');
}

/** `gesture_mapping.csv`: the classes' names and labels. */
function formatGestureMapping(): string {
  return `action,label\n${GESTURES.map((gesture, index) => `${gesture},${index + 1}\n`).join('')}`;
}

/** The lines of an AEDAT header that say what the file is; plain ASCII, without `#`. */
function describeRecording(options: SimulationOptions, recording: PlannedRecording): string[] {
  return [
    'SIMULATED: made by a model of moving arms in front of an event camera; no camera and no person was recorded.',
    `Simulation: plif-repro gesture model ${MODEL_VERSION}, seed ${options.seed}, user ${recording.user}, light ${recording.light}`,
  ];
}

/** `SIMULATED.txt`: what the folder contains, from which model and parameters. No times and no paths. */
function describeSimulation(options: SimulationOptions): string {
  const { sensitivity = 1 } = options;
  const lights = options.lights.map((name) => {
    const { contrast, flicker, flickerHz, noiseHz, mismatch } = findLight(name);
    return (
      `  ${name}: contrast ${contrast}, flicker ${flicker} log units at ${flickerHz} Hz, ` +
      `noise ${noiseHz} Hz per pixel, threshold mismatch ${mismatch}`
    );
  });
  return `These recordings are SIMULATED. They are not DVS128 Gesture: no camera and no person was involved.

They have that data set's layout and file formats, so software that reads one also reads the other. What a network
learns from them says nothing about how it would do on recordings of people, and nothing about any published result.

Model: plif-repro gesture model ${MODEL_VERSION}, a drawn body with moving arms in front of a ${CAMERA.width} x ${CAMERA.height} event camera (docs/simulation.md)
Seed: ${options.seed}
Training users: ${options.trainUsers} (from user01)
Test users: ${options.testUsers} (from user${FIRST_TEST_USER})
Length of a gesture: ${options.gestureSeconds} s
Thresholds: ON ${CAMERA.onThreshold / sensitivity}, OFF ${CAMERA.offThreshold / sensitivity} (natural log units); refractory period ${CAMERA.refractoryUs} us
Rendered images: one every ${CAMERA.frameUs} us; hot pixels: ${CAMERA.hotPixels}
Lights:
${lights.join('\n')}
`;
}
