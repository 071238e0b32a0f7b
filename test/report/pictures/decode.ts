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

function pixelReader(rgba: Uint8Array, width: number): Decoded['at'] {
  return (x, y) => [...rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
}
