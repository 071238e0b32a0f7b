import { decompressFrames, parseGIF } from 'gifuct-js';
import { PNG } from 'pngjs';

/** A picture as another library than the one that wrote it sees it. */
export interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
  /** Red, green and blue of a pixel. */
  at(x: number, y: number): number[];
}

export function decodePng(bytes: Uint8Array): Decoded {
  const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
  return { width, height, rgba: Uint8Array.from(data), at: pixelReader(data, width) };
}

export interface DecodedGif {
  /** 0: forever; -1: not at all. */
  readonly repeat: number;
  readonly delaysMs: readonly number[];
  readonly frames: readonly Decoded[];
}

export function decodeGif(bytes: Uint8Array): DecodedGif {
  const gif = parseGIF(Uint8Array.from(bytes).buffer);
  const { width, height } = gif.lsd;
  const frames = decompressFrames(gif, true);
  return {
    repeat: readRepeat(bytes),
    delaysMs: frames.map(({ delay }) => delay),
    frames: frames.map(({ patch }) => {
      return { width, height, rgba: Uint8Array.from(patch), at: pixelReader(patch, width) };
    }),
  };
}

/** The number of repetitions, which this library does not tell: after NETSCAPE2.0, 3 and 1. */
function readRepeat(bytes: Uint8Array): number {
  const at = Buffer.from(bytes).indexOf('NETSCAPE2.0\x03\x01', 'latin1');
  return at < 0 ? -1 : bytes[at + 13]! + 256 * bytes[at + 14]!;
}

function pixelReader(rgba: Uint8Array | Uint8ClampedArray, width: number): Decoded['at'] {
  return (x, y) => [...rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
}
