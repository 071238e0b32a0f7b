import { countElements } from '../../src/formats/tensor.ts';
import type { Frames } from '../../src/network/engines/engine.ts';
import type { ClipSource } from '../../src/training/clip-source.ts';

/** Clips in memory. @param data [clips, T, P, H, W] */
export function memorySource(data: Frames['data'], clips: number, shape: ClipSource['shape']): ClipSource {
  const length = countElements(shape);
  return {
    clips,
    shape,
    async read(rows) {
      const read = sameType(data, rows.length * length);
      rows.forEach((row, i) => {
        read.set(data.subarray(row * length, (row + 1) * length), i * length);
      });
      return { shape: [rows.length, ...shape], data: read };
    },
    async close() {},
  };
}

function sameType(data: Frames['data'], length: number): Frames['data'] {
  if (data instanceof Uint8Array) return new Uint8Array(length);
  if (data instanceof Uint16Array) return new Uint16Array(length);
  if (data instanceof Uint32Array) return new Uint32Array(length);
  return new Float32Array(length);
}
