import type { PublishedFile } from '../contract/dataset.ts';

export type Checksum = PublishedFile['checksum'];

/** `resumed`: part of it was downloaded by an earlier command. */
export type FetchOutcome = 'already there' | 'downloaded' | 'resumed';

/** What a download adds to a file's name while it is incomplete. */
export const PART_ENDING = '.part';
/** What it adds for the note of where the part came from. */
export const SOURCE_ENDING = '.part.json';
