import type { Person } from './person.ts';
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

/** Cycles per second, before the person's tempo: a one-second clip must contain a whole turn of an arm. */
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

/** One performance of a gesture: everything about it that is random. */
export interface Motion {
  readonly gesture: Gesture;
  readonly rateHz: number;
  /** The phase at which the gesture starts, turns. */
  readonly startPhase: number;
  /** +1, or -1 if the cycle runs backward. */
  readonly direction: 1 | -1;
  /** Multiplies the gesture's size; includes the person's own amplitude. */
  readonly amplitude: number;
  /** Offset of the gesture's centre, in units of the arm's reach. */
  readonly shiftU: number;
  readonly shiftV: number;
  readonly reactionSeconds: number;
  /** Only for `other_gestures`. */
  readonly wild: WildMotion;
}

/** A motion unlike the other ten: figures of eight with one arm or both. */
interface WildMotion {
  readonly arms: 'right' | 'left' | 'both';
  readonly centreU: number;
  readonly centreV: number;
  readonly width: number;
  readonly height: number;
  /** Which coordinate swings twice per cycle. */
  readonly double: 'u' | 'v';
  /** The other arm's phase, turns. */
  readonly offset: number;
  /** Amplitude of the body's lean, pixels. */
  readonly lean: number;
}

/**
 * Samples one performance. Clockwise and counter-clockwise draw from the same distributions and differ only in `direction`.
 *
 * @param backward turns an arm roll the other way; the data set has two clips of that class
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

/** Seconds from standstill to full speed. */
const RAMP_SECONDS = 0.08;

/** Turns made after `seconds`: none during the reaction time, then uniform acceleration, then constant speed. */
export function turnsAfter(motion: Motion, seconds: number): number {
  const moving = seconds - motion.reactionSeconds;
  if (moving <= 0) return 0;
  const steady = moving < RAMP_SECONDS ? (moving * moving) / (2 * RAMP_SECONDS) : moving - RAMP_SECONDS / 2;
  return motion.rateHz * steady;
}
