import fs from 'node:fs/promises';

/** With less than this left, hardly anything can be written. */
const fullBelowBytes = 256 * 1024;

/** What to tell about a failed stage whose disk is full: its own message may be no more than `I/O error`; null if it is not. */
export async function describeFullDisk(folder: string): Promise<string | null> {
  try {
    const { bavail, bsize } = await fs.statfs(folder);
    return bavail * bsize < fullBelowBytes
      ? `the disk is full: ${Math.floor((bavail * bsize) / 1024)} KiB are left for ${folder}. Free some space (\`./repro gc\` removes old results), then run again.`
      : null;
  } catch {
    return null;
  }
}
