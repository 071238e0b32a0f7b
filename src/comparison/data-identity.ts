/** What a network was evaluated on, by digests; null where it is not known. */
export interface DataIdentity {
  /** Of the frames that the evaluation read. */
  readonly frames: string | null;
  /** Of the recordings that the frames were made from, whatever the settings. */
  readonly recordings: string | null;
}

/**
 * Whether two networks were evaluated on the same recordings: that is certain if they read the same frames, too. Clips of other recordings
 * may have the same names, as where they are simulated with another seed.
 *
 * @returns null if it is not known
 */
export function isSameData(a: DataIdentity, b: DataIdentity): boolean | null {
  if (a.frames !== null && a.frames === b.frames) return true;
  if (a.recordings === null || b.recordings === null) return null;
  return a.recordings === b.recordings;
}
