import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeNpyHeader } from '../../src/formats/npy.ts';
import { describeSensor, makeAedat4, makePacket } from './aedat4-file.ts';

/** Time in µs, x, y, polarity. */
type Row = readonly [number, number, number, number];

const STEPS = 30;
const STEP_US = 10_000;

/** A bar of 12 pixels that moves through a square of 32 x 32 pixels for 0.3 s; two recordings of a class differ by where it is. */
export function moveBar(direction: 'left' | 'right' | 'up', number: number, jitter = 0): Row[] {
  const rows: Row[] = [];
  for (let step = 0; step < STEPS; step++) {
    const at = direction === 'left' ? 31 - step : step;
    for (let along = 0; along < 12; along++) {
      const across = 4 + (number % 8) + along + ((step * jitter) % 3);
      const [x, y] = direction === 'up' ? [across, 31 - at] : [at, across];
      const behind = direction === 'left' ? 1 : -1;
      const tUs = 1000 + step * STEP_US + along * 7;
      rows.push([tUs, x, y, 1]);
      const [bx, by] =
        direction === 'up' ? [x, Math.min(31, y + 1)] : [Math.min(31, Math.max(0, x + behind)), y];
      rows.push([tUs + 3, bx, by, 0]);
    }
  }
  return rows;
}

export const encoders = {
  /** Columns t, x, y, p in µs. */
  npy(rows: readonly Row[], unitUs = 1): Uint8Array {
    const values = Float64Array.from(rows.flatMap(([tUs, ...rest]) => [tUs / unitUs, ...rest]));
    return Buffer.concat([encodeNpyHeader('float64', [rows.length, 4]), new Uint8Array(values.buffer)]);
  },
  bin: (rows: readonly Row[]): Uint8Array =>
    Uint8Array.from(rows.flatMap(([t, x, y, p]) => [x, y, (p << 7) | (t >> 16), (t >> 8) & 0xff, t & 0xff])),
  aedat4: (rows: readonly Row[], width = 128, height = 128): Uint8Array =>
    makeAedat4({
      info: describeSensor(width, height),
      packets: [makePacket(rows.map(([t, x, y, p]) => [BigInt(t), x, y, p]))],
    }),
};

/** Writes recordings of three directions, ten of each unless `names` says otherwise. @param nameOf of a class and a number from 1 */
export async function writeRecordings(
  root: string,
  encode: (rows: readonly Row[]) => Uint8Array,
  nameOf: (label: string, number: number) => string,
): Promise<void> {
  for (const direction of ['left', 'right', 'up'] as const) {
    for (let number = 1; number <= 10; number++) {
      const file = path.join(root, nameOf(direction, number));
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, encode(moveBar(direction, number)));
    }
  }
}
