import { Aedat3Parser, type Aedat3Summary, type ReadAedat3Options } from './aedat3-parser.ts';
import { eachEvent } from './clips.ts';
import { EventBuffer, type Events } from './events.ts';

export type { Aedat3Summary, ReadAedat3Options } from './aedat3-parser.ts';

const EVENT_BYTES = 8;

/** All events of a recording already in memory. Throws like `Aedat3Parser`. */
export function decodeAedat3(
  bytes: Uint8Array,
  options: ReadAedat3Options,
): { readonly events: Events; readonly summary: Aedat3Summary } {
  const buffer = new EventBuffer(Math.max(1, Math.floor(bytes.length / EVENT_BYTES)));
  const parser = new Aedat3Parser(
    { sizeBytes: bytes.length, ...options },
    eachEvent((tUs, x, y, p) => buffer.push(tUs, x, y, p)),
  );
  parser.push(bytes);
  const summary = parser.finish();
  return { events: buffer.events(), summary };
}
