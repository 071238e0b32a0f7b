import { cosineOfTurns, sineOfTurns } from '../../base/portable-math.ts';
import { type Motion, turnsAfter } from './motion.ts';
import { type ArmTarget, type Person, type Point, type Pose, REST, reach, type Side } from './person.ts';

/** What the two arms and the body do at one phase of a gesture; u and v of the targets as `ArmTarget` has them. */
interface Targets {
  readonly right: ArmTarget;
  readonly left: ArmTarget;
  readonly lean?: Point;
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

/** The body's midline relative to an arm: distance inward from its shoulder, in units of the reach. */
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

/** The elbow stays beside the body; forearm and hand swing about it like a fan. */
function wave(motion: Motion, phase: number): ArmTarget {
  const angle = 0.02 + 0.105 * motion.amplitude * sineOfTurns(phase);
  return {
    u: 0.45 + motion.shiftU + 0.46 * sineOfTurns(angle),
    v: -0.14 + motion.shiftV + 0.46 * cosineOfTurns(angle),
    bend: 'below',
    depth: 1,
  };
}

/** The hand circles beside the shoulder. An increasing phase is clockwise as seen by the camera, for either arm. */
function circle(motion: Motion, phase: number, side: Side): ArmTarget {
  const radius = 0.34 * motion.amplitude;
  // Outward is to the left of the image for the right arm.
  const outward = side === 'right' ? -1 : 1;
  return {
    u: 0.57 + motion.shiftU + outward * radius * cosineOfTurns(phase),
    v: 0.06 + motion.shiftV - radius * sineOfTurns(phase),
    bend: 'below',
    depth: 1,
  };
}

/** Forearms across the chest rotate around each other: up and down in the image, near and far in depth. */
function roll(person: Person, motion: Motion, phase: number, amplitude: number): ArmTarget {
  return {
    u: midline(person) - 0.1 + 0.5 * motion.shiftU,
    v: -0.36 + motion.shiftV + 0.2 * amplitude * sineOfTurns(phase),
    bend: 'outward',
    forearmScale: 0.9,
    depth: 2 + cosineOfTurns(phase),
  };
}

/** A stroke goes down faster than it comes up. */
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

/** The left hand holds the neck and slides along it a little, once every two strokes. */
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
