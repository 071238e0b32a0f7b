import type { Dataset } from './dataset.ts';
import { listGestureClips, readGestureClips } from './dvs128-gesture/clips.ts';
import { CLASSES, howToGetGestures, PUBLISHED, SENSOR } from './dvs128-gesture/facts.ts';
import { verifyGestures } from './dvs128-gesture/verify.ts';

/** 11 hand gestures of 29 people under up to five lights, seen by a DVS128; and simulated recordings in its layout. */
export const DVS128_GESTURE: Dataset = {
  name: 'dvs128-gesture',
  title: 'DVS128 Gesture',
  classes: CLASSES,
  sensor: SENSOR,
  licence: { name: 'CC BY 4.0', url: 'https://creativecommons.org/licenses/by/4.0/' },
  reference: 'Amir et al., A Low Power, Fully Event-Based Gesture Recognition System, CVPR 2017',
  recordingsNoun: 'recordings',
  howToGet: howToGetGestures,
  verify: (root, options) => verifyGestures(root, options, PUBLISHED),
  listClips: listGestureClips,
  readClips: readGestureClips,
};
