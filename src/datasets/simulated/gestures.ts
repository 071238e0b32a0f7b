import type { Person } from './person.ts';
import { cosineOfTurns, sineOfTurns } from './portable-math.ts';
import { type ArmTarget, type Point, type Pose, REST, reach, type Side } from './pose.ts';
import type { RandomStream } from './random-stream.ts';

/** The classes in the order of their labels: label 1 is the first. Names as in DVS128 Gesture's gesture_mapping.csv. */
export const GESTURES = [
  'hand_clapping',
  'right_hand_wave',
  'left_hand_wave',
  'right_arm_clockwise',
  'right_arm_counter_clockwise',
  'left_arm_clockwise',
  'left_arm_counter_clockwise',
  'arm_roll',
  'air_drums',
  'air_guitar',
  'other_gestures',
] as const;

export type Gesture = (typeof GESTURES)[number];

/** Cycles a second, before the person's tempo: a clip of one second must hold a whole turn of an arm. */
const RATES_HZ: Readonly<Record<Gesture, readonly [number, number]>> = {
  hand_clapping: [1.8, 2.6],
  right_hand_wave: [1.6, 2.3],
  left_hand_wave: [1.6, 2.3],
  right_arm_clockwise: [1.15, 1.6],
  right_arm_counter_clockwise: [1.15, 1.6],
  left_arm_clockwise: [1.15, 1.6],
  left_arm_counter_clockwise: [1.15, 1.6],
  arm_roll: [1.6, 2.3],
  air_drums: [2.0, 2.8],
  air_guitar: [2.0, 2.8],
  other_gestures: [0.8, 1.2],
};

/** One performance of a gesture: everything about it that chance decides. */
export interface Motion {
  readonly gesture: Gesture;
  readonly rateHz: number;
  /** Where in its cycle the gesture starts, turns. */
  readonly startPhase: number;
  /** +1, or -1 for the cycle run backward. */
  readonly direction: 1 | -1;
  /** Multiplies the gesture's size; the person's own amplitude is in it. */
  readonly amplitude: number;
  /** Offset of the gesture's centre, in units of the arm's reach. */
  readonly shiftU: number;
  readonly shiftV: number;
  readonly reactionSeconds: number;
  /** Only for `other_gestures`. */
  readonly wild: WildMotion;
}

/** A motion unlike the ten others: figures of eight with one arm or both. */
export interface WildMotion {
  readonly arms: 'right' | 'left' | 'both';
  readonly centreU: number;
  readonly centreV: number;
  readonly width: number;
  readonly height: number;
  /** Which coordinate swings twice a cycle. */
  readonly double: 'u' | 'v';
  /** The other arm's phase, turns. */
  readonly offset: number;
  /** Amplitude of the body's lean, pixels. */
  readonly lean: number;
}

/**
 * Samples one performance. Clockwise and counter-clockwise draw from the same distributions and differ in `direction` only.
 *
 * @param backward turns an arm roll the other way; the data set holds two clips of that class
 */
export function sampleMotion(
  gesture: Gesture,
  person: Person,
  random: RandomStream,
  backward = false,
): Motion {
  const [slow, fast] = RATES_HZ[gesture];
  const reversed = backward || gesture.endsWith('_counter_clockwise');
  return {
    gesture,
    rateHz: random.between(slow, fast) * person.tempo,
    startPhase: random.uniform(),
    direction: reversed ? -1 : 1,
    amplitude: person.amplitude * random.between(0.93, 1.07),
    shiftU: random.between(-0.05, 0.05),
    shiftV: random.between(-0.06, 0.06),
    reactionSeconds: person.reactionSeconds * random.between(0.5, 1.5),
    wild: {
      arms: (['right', 'left', 'both', 'both'] as const)[random.integer(4)]!,
      centreU: random.between(0.35, 0.6),
      centreV: random.between(-0.15, 0.35),
      width: random.between(0.2, 0.34),
      height: random.between(0.2, 0.34),
      double: random.chance(0.5) ? 'u' : 'v',
      offset: random.uniform(),
      lean: random.between(1, 3),
    },
  };
}

/** What the two arms and the body do at one phase of a gesture; u and v of the targets as `ArmTarget` has them. */
interface Targets {
  readonly right: ArmTarget;
  readonly left: ArmTarget;
  readonly lean?: Point;
}

/** Seconds from standstill to full speed. */
const RAMP_SECONDS = 0.08;

/** Turns that a motion has made after `seconds`: none during the reaction, then speeding up evenly, then steady. */
function turnsAfter(motion: Motion, seconds: number): number {
  const moving = seconds - motion.reactionSeconds;
  if (moving <= 0) return 0;
  const steady = moving < RAMP_SECONDS ? (moving * moving) / (2 * RAMP_SECONDS) : moving - RAMP_SECONDS / 2;
  return motion.rateHz * steady;
}

/** The pose of a person `seconds` after the start of a motion's label. */
export function poseDuring(person: Person, motion: Motion, seconds: number): Pose {
  return poseAtPhase(person, motion, motion.startPhase + motion.direction * turnsAfter(motion, seconds));
}

/** The pose at one phase of a motion, in turns: a function of the phase alone, so that running it backward reverses time. */
export function poseAtPhase(person: Person, motion: Motion, phase: number): Pose {
  const targets = targetsOf(person, motion, phase);
  const body = targets.lean ?? { x: 0.5 * sineOfTurns(phase), y: 0.4 * cosineOfTurns(phase) };
  return {
    body,
    right: reach(person, 'right', body, targets.right),
    left: reach(person, 'left', body, targets.left),
  };
}

function targetsOf(person: Person, motion: Motion, phase: number): Targets {
  const both = (target: (phase: number, amplitude: number, side: Side) => ArmTarget): Targets => ({
    right: target(phase, motion.amplitude * (1 + person.sideBias), 'right'),
    left: target(phase - motion.direction * person.sideLag, motion.amplitude, 'left'),
  });
  switch (motion.gesture) {
    case 'hand_clapping':
      return both((at, amplitude) => clap(person, motion, at, amplitude));
    case 'right_hand_wave':
      return { right: wave(motion, phase), left: REST };
    case 'left_hand_wave':
      return { right: REST, left: wave(motion, phase) };
    case 'right_arm_clockwise':
    case 'right_arm_counter_clockwise':
      return { right: circle(motion, phase, 'right'), left: REST };
    case 'left_arm_clockwise':
    case 'left_arm_counter_clockwise':
      return { right: REST, left: circle(motion, phase, 'left') };
    case 'arm_roll':
      return both((at, amplitude, side) => roll(person, motion, at + (side === 'left' ? 0.5 : 0), amplitude));
    case 'air_drums':
      return both((at, amplitude, side) => drum(person, motion, at + (side === 'left' ? 0.5 : 0), amplitude));
    case 'air_guitar':
      return { right: strum(person, motion, phase), left: holdNeck(motion, phase) };
    case 'other_gestures':
      return wild(person, motion, phase);
  }
}

/** The body's midline as an arm sees it: so far inward of its shoulder, in units of the reach. */
function midline(person: Person): number {
  return -person.shoulderHalfWidth / (person.upperArm + person.forearm);
}

function clap(person: Person, motion: Motion, phase: number, amplitude: number): ArmTarget {
  const open = 0.5 - 0.5 * cosineOfTurns(phase);
  return {
    u: midline(person) + 0.06 + 0.42 * amplitude * open,
    v: -0.42 + motion.shiftV + 0.06 * open,
    bend: 'outward',
    forearmScale: 0.8,
    depth: 1,
  };
}

/** The elbow stands beside the body; forearm and hand swing about it like a fan. */
function wave(motion: Motion, phase: number): ArmTarget {
  const angle = 0.02 + 0.105 * motion.amplitude * sineOfTurns(phase);
  return {
    u: 0.45 + motion.shiftU + 0.46 * sineOfTurns(angle),
    v: -0.14 + motion.shiftV + 0.46 * cosineOfTurns(angle),
    bend: 'below',
    depth: 1,
  };
}

/** The hand goes round beside the shoulder. A growing phase is clockwise as the camera sees it, for either arm. */
function circle(motion: Motion, phase: number, side: Side): ArmTarget {
  const radius = 0.34 * motion.amplitude;
  // Outward is to the image's left for the right arm.
  const outward = side === 'right' ? -1 : 1;
  return {
    u: 0.57 + motion.shiftU + outward * radius * cosineOfTurns(phase),
    v: 0.06 + motion.shiftV - radius * sineOfTurns(phase),
    bend: 'below',
    depth: 1,
  };
}

/** Forearms across the chest turn about each other: up and down in the image, near and far in depth. */
function roll(person: Person, motion: Motion, phase: number, amplitude: number): ArmTarget {
  return {
    u: midline(person) - 0.1 + 0.5 * motion.shiftU,
    v: -0.36 + motion.shiftV + 0.2 * amplitude * sineOfTurns(phase),
    bend: 'outward',
    forearmScale: 0.9,
    depth: 2 + cosineOfTurns(phase),
  };
}

/** A stroke falls faster than it rises. */
function drum(person: Person, motion: Motion, phase: number, amplitude: number): ArmTarget {
  const stroke = sineOfTurns(phase) + 0.22 * sineOfTurns(2 * phase);
  return {
    u: midline(person) + 0.36 + motion.shiftU,
    v: -0.5 + motion.shiftV + 0.2 * amplitude * stroke,
    bend: 'outward',
    forearmScale: 0.75,
    depth: 1,
  };
}

function strum(person: Person, motion: Motion, phase: number): ArmTarget {
  const stroke = 0.16 * motion.amplitude * sineOfTurns(phase);
  return {
    u: midline(person) + 0.06 + motion.shiftU + 0.35 * stroke,
    v: -0.62 + motion.shiftV + 0.94 * stroke,
    bend: 'outward',
    forearmScale: 0.85,
    depth: 2,
  };
}

/** The left hand holds the neck and slides along it a little, once in two strokes. */
function holdNeck(motion: Motion, phase: number): ArmTarget {
  const slide = 0.05 * motion.amplitude * sineOfTurns(phase / 2);
  return { u: 0.55 + motion.shiftU + slide, v: 0.02 + motion.shiftV + 0.5 * slide, bend: 'below', depth: 1 };
}

function wild(person: Person, motion: Motion, phase: number): Targets {
  const { arms, centreU, centreV, width, height, double, offset, lean } = motion.wild;
  const figure = (at: number): ArmTarget => ({
    u: centreU + motion.shiftU + width * motion.amplitude * sineOfTurns(double === 'u' ? 2 * at : at),
    v: centreV + motion.shiftV + height * motion.amplitude * sineOfTurns(double === 'v' ? 2 * at : at),
    bend: 'below',
    depth: 1,
  });
  const left = phase + offset + person.sideLag;
  return {
    right: arms === 'left' ? REST : figure(phase),
    left: arms === 'right' ? REST : figure(left),
    lean: { x: lean * sineOfTurns(phase), y: 0.5 * lean * sineOfTurns(2 * phase) },
  };
}
