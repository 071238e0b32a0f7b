import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import { requireSha256 } from '../../base/files/canonical-json.ts';
import { forEachLimited } from '../../base/files/for-each-limited.ts';

/**
 * Shared storage of named objects. An object appears complete or not at all. Nothing else is assumed: everything that is read is checked
 * against its name.
 */
export interface Remote {
  /** For messages; without credentials. */
  readonly address: string;
  /** null if the object does not exist. */
  sizeOf(key: string): Promise<number | null>;
  /** Its bytes; null if the object does not exist. */
  open(key: string, signal?: AbortSignal): Promise<Readable | null>;
  /** Creates or replaces an object; after an abort the old one is still there. */
  write(
    key: string,
    content: string | { readonly file: string; readonly sizeBytes: number },
    signal?: AbortSignal,
  ): Promise<void>;
}

/** Raise this when the meaning of keys changes. */
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

/** Enough to use the connection with small objects, few enough for a modest server. */
const transfersAtOnce = 8;

/** The progress of an instance's transfers. */
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
  // Each transfer adds a few listeners: Node.js would take them for a leak.
  if (signal !== undefined) setMaxListeners(0, signal);
  return forEachLimited(items, transfersAtOnce, visit, signal);
}
