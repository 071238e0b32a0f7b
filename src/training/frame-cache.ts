import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReproError } from '../errors.ts';
import { type ClipSource, openClipSource } from './clip-source.ts';

/** One row of train.npy or test.npy. */
export interface ClipEntry {
  readonly recording: string;
  /** User and light of a DVS128 Gesture recording; null elsewhere. */
  readonly user: string | number | null;
  readonly light: string | null;
  /** 0-based. */
  readonly class: number;
}

/** What clips.json says of the frames beside it. */
export interface ClipIndex {
  readonly dataset: string;
  readonly simulated: boolean;
  readonly classes: readonly string[];
  /** How events became frames, as the `frames` stage wrote it down. */
  readonly frames: Readonly<Record<string, unknown>>;
  readonly splits: { readonly train: readonly ClipEntry[]; readonly test: readonly ClipEntry[] };
}

/** The frames of both splits, and what is known of them. */
export interface FrameCache {
  readonly index: ClipIndex;
  readonly train: ClipSource;
  readonly test: ClipSource;
  /** [P, H, W] of one frame. */
  readonly input: readonly [number, number, number];
  close(): Promise<void>;
}

/**
 * Opens `artifacts/frames`: clips.json, train.npy and test.npy.
 *
 * @throws {ReproError} `frames-invalid` if the files do not fit together
 */
export async function openFrameCache(folder: string): Promise<FrameCache> {
  const file = join(folder, 'clips.json');
  const index = parseIndex(await readFile(file, 'utf8'), file);
  const train = await openClipSource(join(folder, 'train.npy'));
  const test = await openClipSource(join(folder, 'test.npy')).catch(async (error: unknown) => {
    await train.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await train.close();
    await test.close();
  };
  for (const [name, source] of [
    ['train', train],
    ['test', test],
  ] as const) {
    const listed = index.splits[name].length;
    if (source.clips !== listed || source.shape.join() !== train.shape.join()) {
      await close();
      throw invalid(
        file,
        `${name}.npy has ${source.clips} clips of [${source.shape.join(', ')}], expected ${listed} of [${train.shape.join(', ')}]`,
      );
    }
  }
  const [, channels, height, width] = train.shape;
  return { index, train, test, input: [channels, height, width], close };
}

/** The class of each clip, [clips]. */
export function labelsOf(clips: readonly ClipEntry[]): Int32Array {
  return Int32Array.from(clips, (clip) => clip.class);
}

function parseIndex(text: string, file: string): ClipIndex {
  let index: ClipIndex;
  try {
    index = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, `this is not JSON (${String(cause)})`, cause);
  }
  const { dataset, simulated, classes, frames, splits } = index;
  const whole =
    typeof dataset === 'string' &&
    typeof simulated === 'boolean' &&
    typeof frames === 'object' &&
    Array.isArray(classes) &&
    Array.isArray(splits?.train) &&
    Array.isArray(splits.test);
  if (!whole) throw invalid(file, 'it lacks dataset, simulated, classes, frames or splits');
  for (const [name, clips] of Object.entries(splits)) {
    for (const [row, clip] of clips.entries()) {
      if (!Number.isInteger(clip.class) || clip.class < 0 || clip.class >= classes.length) {
        throw invalid(file, `splits.${name}[${row}].class is ${clip.class}, of ${classes.length} classes`);
      }
    }
  }
  return index;
}

function invalid(where: string, problem: string, cause?: unknown): ReproError {
  return new ReproError('frames-invalid', `${problem}.`, {
    where,
    fix: 'Make the frames again: `repro run frames --force`.',
    cause,
  });
}
