import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { RunEvent } from '../run/events.ts';

/** An event of one instance. */
export type InstanceEvent = Extract<RunEvent, { id: string }>;

/** More often than this nobody looks, and each is a write to a shared file system. */
const progressEveryMs = 1_000;

/** A file that grows faster than this between two looks is read in parts. */
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

/** Writes what happens to an instance on a node to a file, one JSON object a line, for whoever watches it. */
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
      // A full disk shows up where it matters; nothing fails because nobody could watch it.
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
      // NFS says at any step that a file is stale, or that the server has not answered. How a job ended does not depend on its events.
      return [];
    }
  }

  #readNew(): InstanceEvent[] {
    // Opened anew each time: that is when NFS asks the server for the latest state.
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
      // The end of an attempt whose node failed in the middle of a line.
      return [];
    }
  }
}
