import { type Aedat3Summary, type ReadAedat3Options, readAedat3, readPacketsAgain } from './aedat3-parser.ts';
import { type Span, visitSpan } from './clips.ts';
import { type EventBlock, timeAt } from './event-block.ts';
import { FrameCounting } from './frame-counting.ts';
import { type ClipEvents, type Counts, durationsOfFrames, type FrameLayout } from './frames.ts';

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
 * Cuts an AEDAT 3.1 recording into clips without keeping its events: the recording is checked and the events of each clip are counted. The
 * clips then read their part of the recording again and count its events in frames.
 *
 * @returns the events of each span, overlapping ones in both, in the order of the spans
 * @throws like `readAedat3`
 */
export function cutAedat3(
  bytes: Uint8Array,
  spans: readonly Span[],
  options: ReadAedat3Options,
): { readonly summary: Aedat3Summary; readonly clips: readonly ClipEvents[] } {
  const found = spans.map((span): FoundClip => {
    const times = { firstUs: Number.POSITIVE_INFINITY, lastUs: Number.NEGATIVE_INFINITY };
    return { span, count: 0, ...times, fromByte: 0, toByte: 0 };
  });
  const summary = readAedat3(bytes, options, (block) => {
    for (const clip of found) noteBlock(clip, block);
  });
  return { summary, clips: found.map((clip) => new StoredClip(clip, options, bytes)) };
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
  /** Of the whole recording. */
  readonly #bytes: Uint8Array;

  constructor(clip: Readonly<FoundClip>, options: ReadAedat3Options, bytes: Uint8Array) {
    this.#clip = clip;
    this.#options = options;
    this.#bytes = bytes;
  }

  get count(): number {
    return this.#clip.count;
  }

  integrate(layout: FrameLayout, counts: Counts): number {
    const counting = new FrameCounting(layout, this.#clip, counts, this.#options.addon);
    this.#visit((block, from, to) => counting.add(block, from, to));
    return counting.bits;
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

  /** Reads the clip's part of the recording again. */
  #visit(visit: (block: EventBlock, from: number, to: number) => void): void {
    readPacketsAgain(this.#bytes, this.#clip, this.#options, (block) =>
      visitSpan(block, this.#clip.span, (from, to) => visit(block, from, to)),
    );
  }
}
