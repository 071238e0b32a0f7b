/** How sound becomes events: `audio:` of a data set's file, whose schema describes the keys. */
export interface AudioSettings {
  readonly bands: number;
  readonly lowHz: number;
  readonly highHz: number;
  readonly windowMs: number;
  readonly hopMs: number;
  readonly thresholdDb: number;
  readonly floorDb: number;
  readonly floorBelow: 'clip-maximum' | 'full-scale';
}

/** As in the schema, which is not imported: a word in it would make all frames stale. */
export const AUDIO_DEFAULTS: AudioSettings = {
  bands: 64,
  lowHz: 80,
  highHz: 7600,
  windowMs: 25,
  hopMs: 5,
  thresholdDb: 3,
  floorDb: 40,
  floorBelow: 'clip-maximum',
};
