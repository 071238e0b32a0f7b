import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Json } from '../../../schema/json.ts';
import { shortenText } from '../../../text.ts';
import { diffJson } from '../../freshness/differences.ts';

const blockBytes = 1 << 20;

/** Larger files are compared byte by byte only: to say more they must fit into memory, twice. */
const readBytesAtMost = 256 * 2 ** 20;

/** Differences inside one file that are named; the rest is counted. */
const namesAtMost = 5;

const valueLengthAtMost = 80;

/** How two files of one kind differ, in lines for people; null if they are not what their name says. */
export type FileComparer = (first: Buffer, second: Buffer) => readonly string[] | null;

/** Comparers by extension, such as `.npy`, for formats that the caller knows. */
export type FileComparers = Readonly<Record<string, FileComparer>>;

export interface FileDifference {
  /** The offset of the first byte that differs; the smaller size if one file continues where the other ends. */
  readonly firstByte: number;
  readonly sizes: readonly [number, number];
  /** Where that is in terms of the file's format: a line, a key, an element. */
  readonly details: readonly string[];
}

/** Compares two files that are known to differ. */
export async function compareFiles(
  first: string,
  second: string,
  comparers: FileComparers,
): Promise<FileDifference> {
  const firstByte = findFirstDifference(first, second);
  const sizes = [(await fs.stat(first)).size, (await fs.stat(second)).size] as const;
  if (Math.max(...sizes) > readBytesAtMost) return { firstByte, sizes, details: [] };
  const [a, b] = [await fs.readFile(first), await fs.readFile(second)];
  const extension = path.extname(first).toLowerCase();
  const known = extension === '.json' ? compareJson : comparers[extension];
  return { firstByte, sizes, details: known?.(a, b) ?? compareTexts(a, b, firstByte) ?? [] };
}

function findFirstDifference(first: string, second: string): number {
  const [a, b] = [openSync(first, 'r'), openSync(second, 'r')];
  const [blockA, blockB] = [Buffer.alloc(blockBytes), Buffer.alloc(blockBytes)];
  try {
    for (let offset = 0; ; offset += blockBytes) {
      const [readA, readB] = [
        readSync(a, blockA, { position: offset }),
        readSync(b, blockB, { position: offset }),
      ];
      const shared = Math.min(readA, readB);
      if (blockA.compare(blockB, 0, shared, 0, shared) !== 0) {
        return offset + blockA.findIndex((byte, i) => byte !== blockB[i]);
      }
      if (shared < blockBytes) return offset + shared;
    }
  } finally {
    closeSync(a);
    closeSync(b);
  }
}

function compareTexts(first: Buffer, second: Buffer, firstByte: number): string[] | null {
  if ([first, second].some((bytes) => bytes.includes(0) || !isUtf8(bytes))) return null;
  const line = first.subarray(0, firstByte).filter((byte) => byte === 0x0a).length;
  const [lineA, lineB] = [first, second].map((bytes) => bytes.toString().split('\n')[line]);
  return [`line ${line + 1}: ${quote(lineA)}, then ${quote(lineB)}`];
}

function compareJson(first: Buffer, second: Buffer): string[] | null {
  let values: [Json, Json];
  try {
    values = [JSON.parse(first.toString('utf8')), JSON.parse(second.toString('utf8'))];
  } catch {
    return null;
  }
  const found = diffJson(...values, { intoLists: true }).map(
    ({ name, before, now }) => `${name === '' ? 'the value' : name}: ${quote(before)}, then ${quote(now)}`,
  );
  if (found.length === 0) return ['the same values, written differently'];
  const rest = found.length - namesAtMost;
  return rest <= 0 ? found : [...found.slice(0, namesAtMost), `and ${rest} more values`];
}

function quote(value: Json | undefined): string {
  return value === undefined ? 'nothing' : shortenText(JSON.stringify(value), valueLengthAtMost);
}
