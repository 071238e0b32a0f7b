import { closeSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { Aedat3Parser, type Aedat3Summary, type ReadAedat3Options } from '../../events/aedat3-parser.ts';
import { openRegularSync } from '../../files/regular-file.ts';
import { openMd5Pair } from '../md5-pair.ts';
import { SENSOR } from './facts.ts';

/** Checks a recording's format up to the first error. */
export class RecordingCheck {
  readonly #parser: Aedat3Parser;
  /** For what follows an error. */
  readonly #rest = new Uint8Array(1 << 16);
  #failure: ReproError | null = null;

  constructor(options: ReadAedat3Options) {
    this.#parser = new Aedat3Parser(options, () => {});
  }

  push(piece: Uint8Array): void {
    this.#try(() => this.#parser.push(piece));
  }

  /** As `push`, with memory for `read` to fill; `look` must follow. @returns the bytes that it put there, valid until then */
  receive(read: (space: Uint8Array) => number): Uint8Array {
    if (this.#failure === null) return this.#parser.receive(read);
    return this.#rest.subarray(0, read(this.#rest));
  }

  look(): void {
    this.#try(() => this.#parser.look());
  }

  /** What the recording contains, or why it cannot be read. */
  finish(): Aedat3Summary | ReproError {
    return this.#try(() => this.#parser.finish()) ?? this.#failure!;
  }

  #try<T>(read: () => T): T | null {
    if (this.#failure !== null) return null;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      this.#failure = error;
      return null;
    }
  }
}

/** How often other work gets a turn: every few megabytes. */
const PIECES_A_TURN = 64;
const NOTHING = new Uint8Array(0);

/**
 * Hashes and checks one recording, or two at once, which is faster: the parts by turns, each while it is in the processor's cache. Aborts
 * with the signal's reason.
 */
export async function inspectRecordings(
  files: readonly { readonly path: string; readonly sizeBytes: number; readonly diskPath: string }[],
  signal: AbortSignal | undefined,
): Promise<{ sizeBytes: number; md5: string; recording: Aedat3Summary | ReproError }[]> {
  const hashes = openMd5Pair();
  const open: Recording[] = [];
  try {
    for (const { path, sizeBytes, diskPath } of files) {
      const check = new RecordingCheck({ file: path, sensor: SENSOR, sizeBytes });
      open.push({ check, descriptor: openRegularSync(diskPath), position: 0 });
    }
    for (let piece = 1; ; piece++) {
      const [first = NOTHING, second = NOTHING] = open.map(readPiece);
      if (first.length + second.length === 0) break;
      // Before a check moves them.
      hashes.update(first, second);
      for (const { check } of open) check.look();
      if (piece % PIECES_A_TURN !== 0) continue;
      await setImmediate();
      signal?.throwIfAborted();
    }
    const sums = hashes.finish();
    return files.map(({ sizeBytes }, i) => ({
      sizeBytes,
      md5: sums[i]!,
      recording: open[i]!.check.finish(),
    }));
  } finally {
    for (const { descriptor } of open) closeSync(descriptor);
  }
}

interface Recording {
  readonly check: RecordingCheck;
  readonly descriptor: number;
  position: number;
}

function readPiece(recording: Recording): Uint8Array {
  const bytes = recording.check.receive((space) =>
    readSync(recording.descriptor, space, 0, space.length, recording.position),
  );
  recording.position += bytes.length;
  return bytes;
}
