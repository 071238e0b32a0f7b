import { deflateSync, inflateSync } from 'fflate';
import type { Frames } from './messages.ts';
import type { Packed } from './payload.ts';

/** Deflates an array; the same bytes with every version of Node, since fflate is plain JavaScript. */
export function pack(array: Frames): Packed {
  const bytes = deflateSync(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), { level: 9 });
  let text = '';
  // A call takes some ten thousand arguments at most.
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return { type: typeOf(array), data: btoa(text) };
}

export function unpack({ type, data }: Packed): Frames {
  const { buffer } = inflateSync(Uint8Array.from(atob(data), (character) => character.charCodeAt(0))).slice();
  switch (type) {
    case 'uint8':
      return new Uint8Array(buffer);
    case 'uint16':
      return new Uint16Array(buffer);
    case 'float32':
      return new Float32Array(buffer);
  }
}

function typeOf(array: Frames): Packed['type'] {
  if (array instanceof Uint8Array) return 'uint8';
  return array instanceof Uint16Array ? 'uint16' : 'float32';
}
