import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Split } from '../contract/clips.ts';
import type { SimulationHooks, SimulationSummary } from './dataset-writer.ts';
import { RandomStream } from './random-stream.ts';

/** Raise this whenever the same options give different events. */
const MODEL_VERSION = 1;

/** Steps of a clip, and how long one lasts, µs: `frames` needs both, so that each step has a frame of its own. */
const STEPS = 96;
const STEP_US = 1000;
/** Of one polarity: four pixels that carry the answer, and for ON events a fifth one that fires at every step. */
const PIXELS = 5;
const CARRIERS = 4;

/** The short question, in OFF events: in each slot, three events 1 or 3 steps apart. Single events hide them. */
const TRIPLETS = { slotSteps: 8, events: 3, gapSteps: { far: 3, close: 1 }, mostSingles: 30 };
/**
 * The long question, in ON events: five clusters that start every 18 or every 8 steps, six times as far apart as the events of a triplet. At
 * a smaller ratio, all its times shrink alike: at 1, they are those of the short question, and a cluster lasts one step.
 */
const CLUSTERS = { count: 5, lengthSteps: 4, leastEvents: 4, mostEvents: 8, farSteps: 18, closeSteps: 8 };
const RATIO = 6;
/** Of a stray ON event, for each carrier and step. */
const NOISE = 0.02;

export interface TwoScalesOptions {
  readonly seed: number;
  /** Clips of each split, a quarter of them in each class: the class of clip n is n mod 4. */
  readonly trainClips: number;
  readonly testClips: number;
  /** How many times as long as the short question's intervals the long one's are, 1 to 6 (the default). */
  readonly ratio?: number;
  /** Asks one question of the same clips: a class is then its bit. Default: both. */
  readonly question?: 'short' | 'long';
}

/**
 * The events of one clip. Its class is a pair of bits: 1 if the events of a triplet are close (1 step apart, else 3), plus 2 if
 * the clusters are close (8 steps from start to start, else 18, at a ratio of 6). The number of events does not depend on the class.
 *
 * @returns event counts, [T, 2, 1, 5]
 * @see docs/simulation.md: why one question needs a short time constant, and the other a long one
 */
export function simulateTwoScales(seed: number, split: Split, number: number, ratio = RATIO): Uint8Array {
  const random = new RandomStream([seed, 'two-scales', split, number]);
  const counts = new Uint8Array(STEPS * 2 * PIXELS);
  const fire = (step: number, polarity: number, pixel = random.integer(CARRIERS)): void => {
    counts[(step * 2 + polarity) * PIXELS + pixel]! += 1;
  };
  const { slotSteps, events, gapSteps, mostSingles } = TRIPLETS;
  const gap = (number & 1) === 1 ? gapSteps.close : gapSteps.far;
  for (let slot = 0; slot < STEPS; slot += slotSteps) {
    const start = slot + random.integer(slotSteps - (events - 1) * gap);
    for (let i = 0; i < events; i++) fire(start + i * gap, 0);
  }
  for (let left = random.integer(mostSingles + 1); left > 0; left--) fire(random.integer(STEPS), 0);

  const { count, leastEvents, mostEvents } = CLUSTERS;
  const scaled = (steps: number): number => Math.round((steps * ratio) / RATIO);
  const lengthSteps = scaled(CLUSTERS.lengthSteps);
  const period = scaled((number & 2) === 2 ? CLUSTERS.closeSteps : CLUSTERS.farSteps);
  const first = random.integer(STEPS - (count - 1) * period - lengthSteps + 1);
  for (let i = 0; i < count; i++) {
    const size = leastEvents + random.integer(mostEvents - leastEvents + 1);
    for (let left = size; left > 0; left--) fire(first + i * period + random.integer(lengthSteps), 1);
  }
  for (let step = 0; step < STEPS; step++) {
    for (let pixel = 0; pixel < CARRIERS; pixel++) if (random.chance(NOISE)) fire(step, 1, pixel);
    fire(step, 1, CARRIERS);
  }
  return counts;
}

/** N-MNIST's format: for each event x, y, and polarity (1 bit) with the time in µs (23), big-endian. All events of a step have one time. */
export function encodeTwoScales(counts: Uint8Array): Uint8Array {
  const bytes: number[] = [];
  for (const [at, count] of counts.entries()) {
    const polarity = Math.floor(at / PIXELS) % 2;
    const tUs = Math.floor(at / (2 * PIXELS)) * STEP_US;
    const event = [at % PIXELS, 0, (polarity << 7) | (tUs >> 16), (tUs >> 8) & 0xff, tUs & 0xff];
    for (let i = 0; i < count; i++) bytes.push(...event);
  }
  return Uint8Array.from(bytes);
}

/** Writes `Train/<class>/<number>.bin`, `Test/…` and a SIMULATED.txt to `root`. The same options give the same bytes on any machine. */
export async function writeTwoScales(
  root: string,
  { seed, trainClips, testClips, ratio = RATIO, question }: TwoScalesOptions,
  { progress, signal }: SimulationHooks = {},
): Promise<SimulationSummary> {
  const total = trainClips + testClips;
  let [done, events, sizeBytes] = [0, 0, 0];
  const parts = [
    { split: 'train', folder: 'Train', clips: trainClips },
    { split: 'test', folder: 'Test', clips: testClips },
  ] as const;
  for (const { split, folder, clips } of parts) {
    for (const label of question === undefined ? '0123' : '01')
      await mkdir(path.join(root, folder, label), { recursive: true });
    for (let number = 0; number < clips; number++) {
      signal?.throwIfAborted();
      const label =
        question === undefined ? number % 4 : question === 'short' ? number & 1 : (number & 2) >> 1;
      const name = `${folder}/${label}/${String(number).padStart(5, '0')}.bin`;
      const bytes = encodeTwoScales(simulateTwoScales(seed, split, number, ratio));
      await writeFile(path.join(root, name), bytes);
      events += bytes.length / 5;
      sizeBytes += bytes.length;
      progress?.(++done, total, name);
    }
  }
  const note = `These recordings are SIMULATED: two questions about event times, asked of every clip. No camera was involved.

Model: plif-repro two time scales ${MODEL_VERSION} (docs/simulation.md)
Seed: ${seed}
Clips: ${trainClips} for training, ${testClips} for testing
${ratio === RATIO ? '' : `Ratio of the two scales: ${ratio}\n`}${question === undefined ? '' : `Question: ${question}\n`}`;
  await writeFile(path.join(root, 'SIMULATED.txt'), note);
  return { recordings: total, clips: total, events, sizeBytes };
}
