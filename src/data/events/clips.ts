import type { Overlaps } from '../../results/thesis/compat.ts';
import { type BlockSink, type EventBlock, findTime, timeAt } from './event-block.ts';
import { EventBuffer, type Events } from './events.ts';

/** A span of a recording: the events with `startUs <= t < endUs`. */
export interface Span {
  readonly startUs: number;
  readonly endUs: number;
}

/**
 * The spans of a recording's clips. `both`: the labelled segments. `earlier`: a clip begins no earlier than all clips of the rows above it
 * have ended, as in the original, whose converter goes through the events once and never back. A segment that has then nothing left is an
 * empty clip. In a recording whose times never decrease, each clip has exactly the original's events.
 *
 * @param spans in the order of the labels
 */
export function placeSpans<T extends Span>(spans: readonly T[], overlaps: Overlaps): readonly T[] {
  if (overlaps === 'both') return spans;
  let doneUs = 0;
  return spans.map((span) => {
    const startUs = Math.min(Math.max(span.startUs, doneUs), span.endUs);
    doneUs = Math.max(doneUs, span.endUs);
    return { ...span, startUs };
  });
}

/** From the earliest event to just after the latest; 0 to 0 without events. */
export function spanOf({ tUs }: Events): Span {
  if (tUs.length === 0) return { startUs: 0, endUs: 0 };
  let startUs = Number.POSITIVE_INFINITY;
  let lastUs = 0;
  for (const t of tUs) {
    if (t < startUs) startUs = t;
    if (t > lastUs) lastUs = t;
  }
  return { startUs, endUs: lastUs + 1 };
}

/**
 * Visits the runs of events of a block that belong to a span: in a sorted block at most one, and it costs the same however
 * long the block is.
 */
export function visitSpan(
  block: EventBlock,
  { startUs, endUs }: Span,
  visit: (from: number, to: number) => void,
): void {
  const { length } = block;
  if (block.sorted) {
    const firstUs = timeAt(block, 0);
    const lastUs = timeAt(block, length - 2);
    if (firstUs >= endUs || lastUs < startUs) return;
    // Most blocks are all inside.
    const first = firstUs >= startUs ? 0 : findTime(block, 0, length, startUs);
    const end = lastUs < endUs ? length : findTime(block, first, length, endUs);
    if (first < end) visit(first, end);
    return;
  }
  for (let at = 0; at < length; ) {
    const run = at;
    while (at < length && timeAt(block, at) >= startUs && timeAt(block, at) < endUs) at += 2;
    if (at > run) visit(run, at);
    else at += 2;
  }
}

/** The events of a span, in file order; times may go backwards. */
export function eventsIn({ tUs, x, y, p }: Events, { startUs, endUs }: Span): Events {
  const buffer = new EventBuffer();
  for (const [i, t] of tUs.entries()) if (t >= startUs && t < endUs) buffer.push(t, x[i]!, y[i]!, p[i]!);
  return buffer.events();
}

/** Passes on single events, which is simpler and slower. */
export function eachEvent(sink: (tUs: number, x: number, y: number, p: number) => void): BlockSink {
  return (block) => {
    for (let at = 0; at < block.length; at += 2) {
      const data = block.words[at]!;
      sink(timeAt(block, at), data >>> 17, (data >>> 2) & 0x7fff, (data >>> 1) & 1);
    }
  };
}
