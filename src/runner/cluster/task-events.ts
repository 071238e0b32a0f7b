import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { RunEvent } from '../run/events.ts';

/** An event of one instance. */
export type InstanceEvent = Extract<RunEvent, { id: string }>;

/** Watchers do not look more often, and each event is a write to a shared file system. */
const progressEveryMs = 1_000;

/** More than this is read in parts. */
const readAtMost = 1024 * 1024;

const forwarded: ReadonlySet<string> = new Set([
  'started',
  'progress',
  'note',
  'metrics',
  'finished',
  'failed',
  'interrupted',
  'cached',
]);

/** Writes the events of an instance on a node to a file, one JSON object a line, for the command that watches it. */
export class TaskEventWriter {
  readonly #file: string;
  #lastProgressMs = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#file = file;
  }

  write(event: RunEvent): void {
    if (!forwarded.has(event.kind)) return;
    if (event.kind === 'progress') {
      const nowMs = performance.now();
      if (nowMs - this.#lastProgressMs < progressEveryMs) return;
      this.#lastProgressMs = nowMs;
    }
    const timed = event.kind === 'progress' ? { ...event, atMs: Date.now() } : event;
    try {
      appendFileSync(this.#file, `${JSON.stringify(timed)}\n`);
    } catch {
      // A full disk is reported elsewhere; a missing event must not fail the stage.
    }
  }
}

/** Reads such a file while it grows, each line once. */
export class TaskEventReader {
  readonly #file: string;
  readonly #id: string;
  #offset = 0;
  #rest = Buffer.alloc(0);

  /** @param id of the instance: events of others are not taken */
  constructor(file: string, id: string) {
    this.#file = file;
    this.#id = id;
  }

  /** The events since the last call, in order; none while the file does not exist, or cannot be read: the next call reads them. */
  read(): InstanceEvent[] {
    try {
      return this.#readNew();
    } catch {
      // NFS may fail at any step: the file is stale, or the server has not answered. The verdict on a job does not depend on its events.
      return [];
    }
  }

  #readNew(): InstanceEvent[] {
    // Opened each time, since only then does NFS ask the server for the latest state.
    const descriptor = openSync(this.#file, 'r');
    try {
      const room = Math.min(fstatSync(descriptor).size - this.#offset, readAtMost);
      if (room <= 0) return [];
      const buffer = Buffer.alloc(room);
      const read = readSync(descriptor, buffer, 0, room, this.#offset);
      this.#offset += read;
      const bytes = Buffer.concat([this.#rest, buffer.subarray(0, read)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      this.#rest = bytes.subarray(end);
      return bytes
        .toString('utf8', 0, end)
        .split('\n')
        .flatMap((line) => this.#parse(line));
    } finally {
      closeSync(descriptor);
    }
  }

  #parse(line: string): InstanceEvent[] {
    try {
      const event = JSON.parse(line) as InstanceEvent;
      return forwarded.has(event.kind) && event.id === this.#id ? [event] : [];
    } catch {
      // The node of an earlier attempt failed in the middle of this line.
      return [];
    }
  }
}
