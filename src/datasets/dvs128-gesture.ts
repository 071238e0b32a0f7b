import type { Dataset } from './dataset.ts';
import { listGestureClips, readGestureClips } from './dvs128-gesture/clips.ts';
import { CLASSES, PUBLISHED, SENSOR } from './dvs128-gesture/facts.ts';
import { verifyGestures } from './dvs128-gesture/verify.ts';

/**
 * 11 hand gestures of 29 people under up to five lights, seen by a DVS128; and simulated recordings in its layout.
 *
 * @see Amir et al. 2017, "A Low Power, Fully Event-Based Gesture Recognition System", CVPR
 */
export const DVS128_GESTURE: Dataset = {
  name: 'dvs128-gesture',
  title: 'DVS128 Gesture',
  classes: CLASSES,
  sensor: SENSOR,
  recordingsNoun: 'recordings',
  verify: (root, options) => verifyGestures(root, options, PUBLISHED),
  listClips: listGestureClips,
  readClips: readGestureClips,
};
