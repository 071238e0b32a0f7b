import { ReproError } from '../errors.ts';
import { Aedat3Parser, type Aedat3Summary, phaseOf, type ReadAedat3Options } from './aedat3-parser.ts';
import { type Span, visitSpan } from './clips.ts';
import { type EventBlock, timeAt } from './event-block.ts';
import { FrameCounting } from './frame-counting.ts';
import { type ClipEvents, type Counts, durationsOfFrames, type FrameLayout } from './frames.ts';

/**
 * The bytes `from <= offset < to` of a recording that can be read again: at once if they are in memory, otherwise in pieces that
 * are only valid one at a time.
 */
type ReadAgain = (from: number, to: number) => Uint8Array | Iterable<Uint8Array>;

/** What the first pass finds out about a clip. */
interface FoundClip {
  readonly span: Span;
  count: number;
  firstUs: number;
  lastUs: number;
  /** Of the packets that contain its events, bytes. */
  fromByte: number;
  toByte: number;
}

/**
 * Cuts an AEDAT 3.1 recording of any size into clips without keeping its events. `push` takes the recording's bytes, checks them
 * and counts the events of each clip. The clips then read their part of the recording again and count its events in frames.
 */
export class Aedat3Clips {
  readonly #options: ReadAedat3Options;
  readonly #parser: Aedat3Parser;
  readonly #found: readonly FoundClip[];

  constructor(spans: readonly Span[], options: ReadAedat3Options) {
    this.#options = options;
    this.#found = spans.map((span) => ({
      span,
      count: 0,
      firstUs: Number.POSITIVE_INFINITY,
      lastUs: Number.NEGATIVE_INFINITY,
      fromByte: 0,
      toByte: 0,
    }));
    this.#parser = new Aedat3Parser(options, (block) => {
      const firstUs = timeAt(block, block.from);
      const lastUs = timeAt(block, block.to - 2);
      for (const clip of this.#found) {
        const { startUs, endUs } = clip.span;
        if (block.sorted && (firstUs >= endUs || lastUs < startUs)) continue;
        noteBlock(clip, block);
      }
    });
  }

  /** Takes the next bytes of the recording. Throws like `Aedat3Parser`. */
  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }

  /** The same with a recording in memory, of which there are `length` bytes so far. */
  read(memory: Uint8Array, length: number): void {
    this.#parser.read(memory, length);
  }

  /** As `phaseOf` a recording in memory. */
  phaseOf(start: Uint8Array): number {
    return phaseOf(start, this.#options.file);
  }

  /** The recording has ended. @returns the events of each span, overlapping ones in both, in the order of the spans */
  finish(readAgain: ReadAgain): { readonly summary: Aedat3Summary; readonly clips: readonly ClipEvents[] } {
    const summary = this.#parser.finish();
    const { regular } = this.#parser;
    const clips = this.#found.map((found) => new StoredClip(found, { ...this.#options }, regular, readAgain));
    return { summary, clips };
  }
}

function noteBlock(clip: FoundClip, block: EventBlock): void {
  visitSpan(block, clip.span, (from, to) => {
    if (clip.count === 0) clip.fromByte = block.packetFrom;
    clip.toByte = block.packetTo;
    clip.count += (to - from) / 2;
    const step = block.sorted ? Math.max(2, to - from - 2) : 2;
    for (let at = from; at < to; at += step) {
      const tUs = timeAt(block, at);
      if (tUs < clip.firstUs) clip.firstUs = tUs;
      if (tUs > clip.lastUs) clip.lastUs = tUs;
    }
  });
}

class StoredClip implements ClipEvents {
  readonly #clip: Readonly<FoundClip>;
  readonly #options: ReadAedat3Options;
  readonly #regular: boolean;
  readonly #readAgain: ReadAgain;

  constructor(clip: Readonly<FoundClip>, options: ReadAedat3Options, regular: boolean, readAgain: ReadAgain) {
    this.#clip = clip;
    this.#options = options;
    this.#regular = regular;
    this.#readAgain = readAgain;
  }

  get count(): number {
    return this.#clip.count;
  }

  integrate(layout: FrameLayout, counts: Counts): number {
    const counting = new FrameCounting(layout, this.#clip, counts, this.#options.addon);
    this.#visit((block, from, to) => counting.add(block, from, to));
    return counting.finish();
  }

  durationsUs(layout: FrameLayout): Float64Array {
    const times = layout.splitBy === 'number' ? this.#timesAtStarts(layout.steps) : new Map<number, number>();
    return durationsOfFrames(layout, this.#clip, (index) => times.get(index) ?? 0);
  }

  /** The times of the first events of T frames with the same number of events, and of the last event, by index. */
  #timesAtStarts(steps: number): Map<number, number> {
    const { count } = this.#clip;
    const each = Math.floor(count / steps);
    const wanted = Array.from({ length: steps }, (_, i) => i * each);
    const times = new Map<number, number>();
    let index = 0;
    let next = 0;
    this.#visit((block, from, to) => {
      const end = index + (to - from) / 2;
      for (; next < wanted.length && wanted[next]! < end; next++) {
        times.set(wanted[next]!, timeAt(block, from + 2 * (wanted[next]! - index)));
      }
      index = end;
      if (end === count) times.set(count, timeAt(block, to - 2));
    });
    return times;
  }

  /** Reads the clip's part of the recording again. @throws {ReproError} `data-changed` if it is not what it was */
  #visit(visit: (block: EventBlock, from: number, to: number) => void): void {
    const { span, count, fromByte, toByte } = this.#clip;
    let seen = 0;
    const sink = (block: EventBlock) =>
      visitSpan(block, span, (from, to) => {
        seen += (to - from) / 2;
        if (seen > count) return;
        visit(block, from, to);
      });
    const parser = new Aedat3Parser(this.#options, sink, { byte: fromByte, regular: this.#regular });
    try {
      const bytes = this.#readAgain(fromByte, toByte);
      if (bytes instanceof Uint8Array) parser.read(bytes);
      else for (const piece of bytes) parser.push(piece);
    } catch (error) {
      if (!(error instanceof ReproError) || !error.code.startsWith('aedat-')) throw error;
      this.#failChanged(error);
    }
    if (seen !== count) this.#failChanged();
  }

  #failChanged(cause?: unknown): never {
    throw new ReproError('data-changed', 'this file changed while it was being read.', {
      where: this.#options.file,
      fix: 'Something is still writing to it. Run again once that has finished.',
      cause,
    });
  }
}
