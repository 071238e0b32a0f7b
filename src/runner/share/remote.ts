import type { Readable } from 'node:stream';
import { requireSha256 } from '../../files/canonical-json.ts';
import { forEachLimited } from '../../files/for-each-limited.ts';

/**
 * Shared storage of named objects. An object appears complete or not at all; nothing else is assumed of it: whatever is read
 * is checked against its name.
 */
export interface Remote {
  /** For messages; without credentials. */
  readonly address: string;
  /** null if there is no such object. */
  sizeOf(key: string): Promise<number | null>;
  /** Its bytes; null if there is no such object. */
  open(key: string, signal?: AbortSignal): Promise<Readable | null>;
  /** Creates or replaces an object from a file; an abort ends that midway, and leaves what was there. */
  upload(key: string, file: string, sizeBytes: number, signal?: AbortSignal): Promise<void>;
  /** Creates or replaces a small object. */
  write(key: string, content: string): Promise<void>;
}

/** Raise this when the same keys come to mean something else. */
const formatVersion = 'v1';

/** `ab/<sha256>`. */
function placeOf(sha256: string): string {
  return `${requireSha256(sha256).slice(0, 2)}/${sha256}`;
}

export function actionKeyOf(fingerprint: string): string {
  return `${formatVersion}/actions/${placeOf(fingerprint)}.json`;
}

export function treeKeyOf(digest: string): string {
  return `${formatVersion}/trees/${placeOf(digest)}.json`;
}

export function fileKeyOf(sha256: string): string {
  return `${formatVersion}/files/${placeOf(sha256)}`;
}

/** Enough to fill a line with small objects, few enough for a modest server. */
const transfersAtOnce = 8;

/** How far the transfers of an instance are. */
export interface TransferProgress {
  readonly id: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Visits all items, several at once, as {@link forEachLimited} does. */
export function transferAll<T>(
  items: readonly T[],
  visit: (item: T, index: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  return forEachLimited(items, transfersAtOnce, visit, signal);
}
