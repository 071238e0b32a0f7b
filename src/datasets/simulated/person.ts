import { RandomStream } from './random-stream.ts';

/** A simulated user: what is constant across one person's recordings. Lengths in pixels, levels in log luminance. */
export interface Person {
  /** The body's midline, column. */
  readonly centreX: number;
  /** Height of the shoulder joints, row. */
  readonly shoulderY: number;
  readonly shoulderHalfWidth: number;
  readonly upperArm: number;
  readonly forearm: number;
  readonly armRadius: number;
  readonly handRadius: number;
  readonly headRadius: number;
  readonly torsoRadius: number;
  /** Log luminance relative to the wall's mean. */
  readonly shirt: number;
  readonly skin: number;
  readonly hair: number;
  readonly longSleeves: boolean;
  /** Multiplies the rate of every gesture. */
  readonly tempo: number;
  /** Multiplies the size of every gesture. */
  readonly amplitude: number;
  /** Mean time from the start of a label to the start of the motion, seconds. */
  readonly reactionSeconds: number;
  /** How far the left arm lags behind the right one in two-armed gestures, turns. */
  readonly sideLag: number;
  /** Amplitude of the right arm relative to the left, minus 1. */
  readonly sideBias: number;
  /** Amplitude of the body's idle sway, pixels. */
  readonly sway: number;
}

/** Person `user` in the data set with `seed`: the same under every light. */
export function samplePerson(seed: number, user: number): Person {
  const random = new RandomStream([seed, 'person', user]);
  const size = random.between(1.0, 1.25);
  // Shirt and skin are on opposite sides of the wall's luminance, so that an arm is visible against both wall and shirt.
  const darkShirt = random.chance(0.65);
  return {
    centreX: 64 + random.between(-5, 5),
    shoulderY: 54 + random.between(-5, 5),
    shoulderHalfWidth: 13.5 * size * random.between(0.93, 1.07),
    upperArm: 20.5 * size * random.between(0.94, 1.06),
    forearm: 18.5 * size * random.between(0.94, 1.06),
    armRadius: 3.6 * size * random.between(0.88, 1.15),
    handRadius: 4.1 * size * random.between(0.9, 1.1),
    headRadius: 8.6 * size * random.between(0.94, 1.06),
    torsoRadius: 12.5 * size * random.between(0.9, 1.1),
    shirt: darkShirt ? random.between(-1.1, -0.55) : random.between(0.45, 0.8),
    skin: random.between(0.35, 0.75) * (darkShirt ? 1 : -1),
    hair: random.between(-1.2, -0.4),
    longSleeves: random.chance(0.5),
    tempo: random.between(0.86, 1.16),
    amplitude: random.between(0.88, 1.12),
    reactionSeconds: random.between(0.02, 0.1),
    sideLag: random.between(-0.05, 0.05),
    sideBias: random.between(-0.1, 0.1),
    sway: random.between(0.15, 0.5),
  };
}
