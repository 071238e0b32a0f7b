import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** As many files as DVS128 Gesture has after it was cut into clips, in as many folders as it has classes. */
const files = 1464;
const folders = 11;

/** Different files of equal size; returns how many. */
export function writeData(folder: string, bytes: number): number {
  const content = randomBytes(Math.max(4, Math.ceil(bytes / files)));
  for (let i = 0; i < files; i += 1) {
    const parent = path.join(folder, String(i % folders));
    mkdirSync(parent, { recursive: true });
    content.writeUInt32LE(i);
    writeFileSync(path.join(parent, `${i}.bin`), content);
  }
  return files;
}
