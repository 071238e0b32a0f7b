import { sineOfTurns, smoothStep } from '../../base/portable-math.ts';
import type { Label } from '../events/labels.ts';
import { poseDuring } from './gestures.ts';
import { GESTURES, type Gesture, type Motion, sampleMotion } from './motion.ts';
import { blendPoses, type Person, type Pose, REST, reach } from './person.ts';
import { RandomStream } from './random-stream.ts';

interface Clip extends Label {
  readonly motion: Motion;
}

interface Timeline {
  readonly startUs: number;
  readonly endUs: number;
  readonly labels: readonly Label[];
  /** The person's pose at a time of the recording. */
  poseAt(tUs: number): Pose;
}

/** As in the real recordings: twelve clips in class order, arm roll twice. */
const CLIP_GESTURES: readonly Gesture[] = [...GESTURES.slice(0, 8), 'arm_roll', ...GESTURES.slice(8)];

/** Timestamps start here, so that a reader that assumes the first event is at time 0 fails. */
const RECORDING_START_US = 1_000_000;
const LEAD_US = 300_000;

/**
 * Lays out a recording: lead-in, twelve clips of equal length separated by pauses of 0.25 to 0.4 s, lead-out.
 * In a pause the person moves straight from the last pose of one gesture to the first of the next.
 */
export function planTimeline(
  person: Person,
  name: readonly (string | number)[],
  gestureSeconds: number,
): Timeline {
  const pauses = new RandomStream([...name, 'pauses']);
  const clips: Clip[] = [];
  let atUs = RECORDING_START_US + LEAD_US;
  for (const [index, gesture] of CLIP_GESTURES.entries()) {
    const random = new RandomStream([...name, 'clip', index]);
    const backward = gesture === 'arm_roll' && CLIP_GESTURES[index - 1] === 'arm_roll';
    const motion = sampleMotion(gesture, person, random, backward);
    const endUs = atUs + Math.round(gestureSeconds * 1e6);
    clips.push({ class: GESTURES.indexOf(gesture) + 1, startUs: atUs, endUs, motion });
    atUs = endUs + Math.floor(pauses.between(250_000, 400_000));
  }
  const endUs = clips.at(-1)!.endUs + LEAD_US;
  const swayPhases = [pauses.uniform(), pauses.uniform()] as const;
  return {
    startUs: RECORDING_START_US,
    endUs,
    labels: clips.map((clip) => ({ class: clip.class, startUs: clip.startUs, endUs: clip.endUs })),
    poseAt: (tUs) => sway(person, swayPhases, tUs, gesturePoseAt(person, clips, tUs, endUs)),
  };
}

function gesturePoseAt(person: Person, clips: readonly Clip[], tUs: number, endUs: number): Pose {
  const next = clips.findIndex((clip) => tUs < clip.endUs);
  const coming = clips[next];
  if (coming !== undefined && tUs >= coming.startUs) {
    return poseDuring(person, coming.motion, (tUs - coming.startUs) / 1e6);
  }
  const past = next === -1 ? clips.at(-1) : clips[next - 1];
  const fromUs = past === undefined ? RECORDING_START_US : past.endUs;
  const toUs = coming === undefined ? endUs : coming.startUs;
  const from =
    past === undefined
      ? restingPose(person)
      : poseDuring(person, past.motion, (past.endUs - past.startUs) / 1e6);
  const to = coming === undefined ? restingPose(person) : poseDuring(person, coming.motion, 0);
  return blendPoses(from, to, smoothStep((tUs - fromUs) / (toUs - fromUs)));
}

function restingPose(person: Person): Pose {
  const body = { x: 0, y: 0 };
  return { body, right: reach(person, 'right', body, REST), left: reach(person, 'left', body, REST) };
}

/** Nobody stands perfectly still: the whole body drifts slowly by a fraction of a pixel, without repeating. */
function sway(person: Person, phases: readonly [number, number], tUs: number, pose: Pose): Pose {
  const seconds = tUs / 1e6;
  const dx = person.sway * (sineOfTurns(0.31 * seconds + phases[0]) + 0.5 * sineOfTurns(0.83 * seconds));
  const dy = 0.4 * person.sway * sineOfTurns(0.47 * seconds + phases[1]);
  const moved = <P extends { x: number; y: number }>(point: P) => ({ x: point.x + dx, y: point.y + dy });
  const arm = (side: Pose['right']) => ({
    shoulder: moved(side.shoulder),
    elbow: moved(side.elbow),
    hand: moved(side.hand),
    depth: side.depth,
  });
  return { body: moved(pose.body), right: arm(pose.right), left: arm(pose.left) };
}
