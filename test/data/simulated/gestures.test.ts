import { expect, test } from 'vitest';
import { poseAtPhase, poseDuring } from '../../../src/data/simulated/gestures.ts';
import { GESTURES, type Gesture, type Motion, sampleMotion } from '../../../src/data/simulated/motion.ts';
import { type Pose, samplePerson } from '../../../src/data/simulated/person.ts';
import { RandomStream } from '../../../src/data/simulated/random-stream.ts';

const person = samplePerson(1, 3);

function motion(gesture: Gesture, over: Partial<Motion> = {}): Motion {
  return { ...sampleMotion(gesture, person, new RandomStream(['test'])), reactionSeconds: 0, ...over };
}

/** Signed area that the hand sweeps in image coordinates (y down): positive if the motion is clockwise as seen. */
function sweptArea(performance: Motion, side: 'right' | 'left'): number {
  let area = 0;
  const steps = 64;
  for (let step = 0; step < steps; step++) {
    const from = poseAtPhase(person, performance, (performance.direction * step) / steps)[side].hand;
    const to = poseAtPhase(person, performance, (performance.direction * (step + 1)) / steps)[side].hand;
    area += 0.5 * (from.x * to.y - to.x * from.y);
  }
  return area;
}

test('clockwise is clockwise as seen by the camera, for either arm, and counter-clockwise is not', () => {
  expect(sweptArea(motion('right_arm_clockwise'), 'right')).toBeGreaterThan(300);
  expect(sweptArea(motion('left_arm_clockwise'), 'left')).toBeGreaterThan(300);
  expect(sweptArea(motion('right_arm_counter_clockwise'), 'right')).toBeLessThan(-300);
  expect(sweptArea(motion('left_arm_counter_clockwise'), 'left')).toBeLessThan(-300);
});

test('counter-clockwise is clockwise played backward, joint by joint', () => {
  const clockwise = motion('right_arm_clockwise', { startPhase: 0.2 });
  const counter: Motion = { ...clockwise, gesture: 'right_arm_counter_clockwise', direction: -1 };
  for (let turns = 0; turns <= 2; turns += 1 / 16) {
    const forward = poseAtPhase(person, clockwise, clockwise.startPhase + turns);
    const backward = poseAtPhase(person, counter, counter.startPhase + 2 + counter.direction * (2 - turns));
    expectClose(backward, forward);
  }
});

test('the two directions draw everything else from the same distributions', () => {
  const draw = (gesture: Gesture) => sampleMotion(gesture, person, new RandomStream(['same']));
  const { direction: forward, gesture: _a, ...clockwise } = draw('left_arm_clockwise');
  const { direction: backward, gesture: _b, ...counter } = draw('left_arm_counter_clockwise');
  expect(counter).toEqual(clockwise);
  expect([forward, backward]).toEqual([1, -1]);
});

test('a one-armed gesture uses the arm in its name and leaves the other hanging', () => {
  const moves = (gesture: Gesture) => {
    const spans = { right: 0, left: 0 };
    const first = poseAtPhase(person, motion(gesture), 0);
    for (let phase = 0; phase < 1; phase += 1 / 32) {
      const pose = poseAtPhase(person, motion(gesture), phase);
      for (const side of ['right', 'left'] as const) {
        spans[side] = Math.max(spans[side], distance(pose[side].hand, first[side].hand));
      }
    }
    return spans;
  };
  for (const gesture of ['right_hand_wave', 'right_arm_clockwise', 'right_arm_counter_clockwise'] as const) {
    expect(moves(gesture).right).toBeGreaterThan(8);
    expect(moves(gesture).left).toBeLessThan(3);
  }
  for (const gesture of ['left_hand_wave', 'left_arm_clockwise', 'left_arm_counter_clockwise'] as const) {
    expect(moves(gesture).left).toBeGreaterThan(8);
    expect(moves(gesture).right).toBeLessThan(3);
  }
});

test('the person’s right arm is on the left of the image', () => {
  const pose = poseAtPhase(person, motion('right_hand_wave'), 0);
  expect(pose.right.hand.x).toBeLessThan(person.centreX);
  expect(pose.left.hand.x).toBeGreaterThan(person.centreX);
});

test('no gesture stretches an arm beyond its length, and every joint moves without jumps', () => {
  for (const gesture of GESTURES) {
    for (let user = 1; user <= 6; user++) {
      const someone = samplePerson(7, user);
      const performance = sampleMotion(gesture, someone, new RandomStream([gesture, user]));
      let before = poseDuring(someone, performance, 0);
      const most = { upperArm: 0, forearm: 0, hand: 0, elbow: 0 };
      for (let seconds = 0; seconds < 2; seconds += 0.003) {
        const pose = poseDuring(someone, performance, seconds);
        for (const side of ['right', 'left'] as const) {
          const { shoulder, elbow, hand } = pose[side];
          most.upperArm = Math.max(most.upperArm, distance(shoulder, elbow));
          most.forearm = Math.max(most.forearm, distance(elbow, hand));
          most.hand = Math.max(most.hand, distance(hand, before[side].hand));
          most.elbow = Math.max(most.elbow, distance(elbow, before[side].elbow));
        }
        before = pose;
      }
      const where = `${gesture}, user ${user}`;
      expect(most.upperArm, where).toBeLessThan(someone.upperArm + 1e-6);
      expect(most.forearm, where).toBeLessThan(someone.forearm + 1e-6);
      // In 3 ms. An elbow moves fast when the arm is nearly straight; a jump would be tens of pixels.
      expect(most.hand, where).toBeLessThan(1);
      expect(most.elbow, where).toBeLessThan(3);
    }
  }
});

test('a person waits for the reaction time and then speeds up', () => {
  const slow = motion('hand_clapping', { reactionSeconds: 0.1 });
  expect(poseDuring(person, slow, 0.1)).toEqual(poseDuring(person, slow, 0));
  expect(poseDuring(person, slow, 0.2)).not.toEqual(poseDuring(person, slow, 0));
});

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function expectClose(actual: Pose, expected: Pose): void {
  for (const side of ['right', 'left'] as const) {
    for (const joint of ['shoulder', 'elbow', 'hand'] as const) {
      expect(distance(actual[side][joint], expected[side][joint])).toBeLessThan(1e-9);
    }
  }
  expect(distance(actual.body, expected.body)).toBeLessThan(1e-9);
}
