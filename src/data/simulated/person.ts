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

/** A point of the image in pixels: x to the right, y down, as in the camera's files. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export type Side = 'right' | 'left';

/** The joints of one arm, and how near it is to the camera (only the order of the two arms matters). */
export interface Arm {
  readonly shoulder: Point;
  readonly elbow: Point;
  readonly hand: Point;
  readonly depth: number;
}

/** The position of every moving body part at one moment. `right` is the person's right arm, on the image's left. */
export interface Pose {
  /** Offset of torso and head from the person's usual position. */
  readonly body: Point;
  readonly right: Arm;
  readonly left: Arm;
}

/**
 * An arm's target position, relative to its shoulder in units of the arm's reach (upper arm + forearm):
 * u outward from the body, v up. The same target makes right and left arms mirror images.
 */
export interface ArmTarget {
  readonly u: number;
  readonly v: number;
  /** Which way the elbow bends: below the line from shoulder to hand (raised arms), or away from the body. */
  readonly bend: 'below' | 'outward';
  /** Length of the forearm's projection relative to its length: less than 1 if it points at the camera. */
  readonly forearmScale?: number;
  readonly depth?: number;
}

/** Arms are never fully straight: near that, the slightest hand movement would make the elbow jump. */
const STRETCH = 0.97;

export const REST: ArmTarget = { u: 0.14, v: -0.94, bend: 'outward' };

/**
 * Solves the two-link arm in the image plane: `a = (l₁² − l₂² + d²) / 2d` along the line from shoulder to hand,
 * `√(l₁² − a²)` off it. A hand beyond reach, or nearer than the arm can fold, is moved along that line.
 */
export function reach(person: Person, side: Side, body: Point, target: ArmTarget): Arm {
  const outward = side === 'right' ? -1 : 1;
  const shoulder = {
    x: person.centreX + body.x + outward * person.shoulderHalfWidth,
    y: person.shoulderY + body.y,
  };
  const upper = person.upperArm;
  const fore = person.forearm * (target.forearmScale ?? 1);
  const unit = person.upperArm + person.forearm;
  const wanted = Math.sqrt(target.u * target.u + target.v * target.v) * unit;
  const longest = (upper + fore) * STRETCH;
  const shortest = Math.abs(upper - fore) * 1.001 + 1;
  const d = Math.min(longest, Math.max(shortest, wanted));
  // Unit vector to the hand in (outward, up); a hand exactly on the shoulder hangs down.
  const [du, dv] = wanted === 0 ? [0, -1] : [(target.u * unit) / wanted, (target.v * unit) / wanted];
  const along = (upper * upper - fore * fore + d * d) / (2 * d);
  const off = Math.sqrt(Math.max(0, upper * upper - along * along));
  const turn = target.bend === 'below' ? 1 : -1;
  const at = (u: number, v: number): Point => ({ x: shoulder.x + outward * u, y: shoulder.y - v });
  return {
    shoulder,
    elbow: at(du * along + turn * dv * off, dv * along - turn * du * off),
    hand: at(du * d, dv * d),
    depth: target.depth ?? 0,
  };
}

/** The pose between two others: every joint on the straight line, `share` 0 is `from` and 1 is `to`. */
export function blendPoses(from: Pose, to: Pose, share: number): Pose {
  const number = (a: number, b: number) => a + (b - a) * share;
  const point = (a: Point, b: Point): Point => ({ x: number(a.x, b.x), y: number(a.y, b.y) });
  const arm = (a: Arm, b: Arm): Arm => ({
    shoulder: point(a.shoulder, b.shoulder),
    elbow: point(a.elbow, b.elbow),
    hand: point(a.hand, b.hand),
    depth: number(a.depth, b.depth),
  });
  return {
    body: point(from.body, to.body),
    right: arm(from.right, to.right),
    left: arm(from.left, to.left),
  };
}
