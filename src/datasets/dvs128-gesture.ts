import { DATA_SETS } from '../thesis/data-sets.ts';
import type { EventDataset, PublishedFile } from './dataset.ts';
import {
  areGesturesSimulated,
  isPacked,
  listGestureClips,
  readGestureClips,
} from './dvs128-gesture/clips.ts';
import { ARCHIVE, ARCHIVE_BYTES, howToGetGestures, PUBLISHED, USUAL_ROOT } from './dvs128-gesture/facts.ts';
import { verifyGestures } from './dvs128-gesture/verify.ts';

const byHand = (name: string, hex: string, sizeBytes: number | null = null): PublishedFile => ({
  name,
  checksum: { kind: 'md5', hex },
  sizeBytes,
  urls: [],
});

/**
 * 11 hand gestures of 29 people under up to five lights, seen by a DVS128; and simulated recordings in its layout.
 *
 * @see Amir et al. 2017, "A Low Power, Fully Event-Based Gesture Recognition System", CVPR
 */
export const DVS128_GESTURE: EventDataset = {
  ...DATA_SETS['dvs128-gesture'],
  summary: '11 hand gestures of 29 people under up to five lights, seen by a DVS128 event camera.',
  licence: 'CC BY 4.0',
  citation:
    'Amir et al., A Low Power, Fully Event-Based Gesture Recognition System, CVPR 2017, pp. 7243-7252.',
  homepage: 'https://research.ibm.com/publications/a-low-power-fully-event-based-gesture-recognition-system',
  files: [
    byHand(ARCHIVE, PUBLISHED.archiveMd5),
    ...Object.entries(PUBLISHED.extras).map(([name, md5]) => byHand(name, md5)),
  ],
  remarks: [
    `${ARCHIVE} has about ${(ARCHIVE_BYTES / 1e9).toFixed(1)} GB and unpacks to 122 recordings, each with 12 labelled gestures: 98 recordings of users 1-23 to train on and 24 of users 24-29 to test on.`,
    '29 people under five lights would be 145 recordings: 23 were never published.',
    'In user22_led_labels.csv class 9 ends after the next row starts; it is used as published, or as in the original (frames.overlaps: earlier).',
    'The thesis counts 1,056 + 288 clips, since its converter left out the last ten training recordings (train.compat.trials: first-88).',
    'The paper of the data set counts 1,342: 122 x 11, with arm roll, which every recording has twice, counted once. Other libraries count 1,077 + 264 in the same way, with one clip missing.',
  ],
  usualRoot: USUAL_ROOT,
  recordingsNoun: 'recordings',
  howToGet: howToGetGestures,
  verify: (root, options) => verifyGestures(root, options, PUBLISHED),
  isSimulated: areGesturesSimulated,
  listClips: listGestureClips,
  readsWhole: isPacked,
  readClips: readGestureClips,
};
