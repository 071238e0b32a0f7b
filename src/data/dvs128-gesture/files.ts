export const ARCHIVE = 'DvsGesture.tar.gz';
export const FOLDER = 'DvsGesture';
export const TRIAL_LISTS = { train: 'trials_to_train.txt', test: 'trials_to_test.txt' } as const;
/** Present beside simulated recordings, and nowhere else. */
export const SIMULATED_MARK = 'SIMULATED.txt';
/** In this file class 9 ends after the next row starts; it was published that way. */
export const OVERLAPPING_LABELS = 'user22_led_labels.csv';

/** `user01_fluorescent_led.aedat` -> user 1, light `fluorescent_led`; null for any other name. */
export function parseRecordingName(name: string): { readonly user: number; readonly light: string } | null {
  const match = /^user(\d{2,})_([a-z0-9_]+)\.aedat$/.exec(name);
  return match === null ? null : { user: Number(match[1]), light: match[2]! };
}

export function labelsNameOf(recording: string): string {
  return recording.replace(/\.aedat$/, '_labels.csv');
}
