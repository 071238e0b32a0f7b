import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { Value } from '../base/files/shape.ts';
import { type CountType, decodeNpy, encodeNpy, type NpyData, newNpyData } from '../formats/npy.ts';
import { clipShape } from './clip-index.ts';
import { fixOf, readResult, refuse } from './result-file.ts';
import { readResultBytes, readResultFile } from './stage-files.ts';

/** The folder beside the frame cache that holds one clip of each class, and the file that describes them. */
export const CLIP_EXAMPLES = { folder: 'examples', index: 'examples.json' } as const;

const VERSION = 1;

/** The frames of one clip. */
export interface ClipFrames {
  /** [T, C, H, W]: steps, polarities or colours, rows, columns. */
  readonly shape: readonly number[];
  /** C order. */
  readonly data: NpyData<CountType>;
}

/** One clip with what is known of it. */
export type ClipExample = Value<typeof clipShape> & { readonly frames: ClipFrames };

const shape = v.object({
  dataset: v.string(),
  simulated: v.boolean(),
  /** `events`: counts of dark and bright events, [T, 2, H, W]. `images`: still images, [1, 1 or 3, H, W]. */
  kind: v.picklist(['events', 'images']),
  classes: v.array(v.string()),
});

/** The first test clip of each class, for people to look at without reading the whole frame cache. */
export type ClipExamples = Value<typeof shape> & {
  /** By class, at most one of each: a class without test clips has none. */
  readonly examples: readonly ClipExample[];
};

/** The file of a class: `07.npy`. */
export function clipExampleFile(index: number): string {
  return `${String(index).padStart(2, '0')}.npy`;
}

/**
 * Writes `examples.json`, with one example per line, and for each example `<class>.npy`, in the smallest of uint8, uint16 and uint32 that
 * holds its counts.
 *
 * @param folder created if needed, with its parents; expected to be empty
 */
export async function writeClipExamples(folder: string, { examples, ...head }: ClipExamples): Promise<void> {
  await mkdir(folder, { recursive: true });
  const lines: string[] = [];
  for (const { frames, class: index, ...rest } of examples) {
    const file = clipExampleFile(index);
    await writeFile(path.join(folder, file), encodeFrames(frames));
    lines.push(`  ${JSON.stringify({ class: index, file, ...rest })}`);
  }
  const text = JSON.stringify({ version: VERSION, ...head }, null, 1).replace(/\n}$/, '');
  const content = `${text},\n "examples": [\n${lines.join(',\n')}\n ]\n}\n`;
  await writeFile(path.join(folder, CLIP_EXAMPLES.index), content);
}

/**
 * Reads what `writeClipExamples` wrote.
 *
 * @throws {ReproError} `results-invalid` naming the file, the field, what was expected and what was found; `npy` for a damaged array
 */
export async function readClipExamples(folder: string): Promise<ClipExamples> {
  const from = await readResultFile(path.join(folder, CLIP_EXAMPLES.index), 'frames');
  const { examples: clips, ...head } = readResult(
    from,
    v.object({ ...shape.entries, examples: v.array(clipShape) }),
    VERSION,
  );
  const examples: ClipExample[] = [];
  for (const clip of clips) {
    if (clip.class >= head.classes.length)
      refuse(
        from,
        `field "examples[${examples.length}].class" is ${clip.class} of ${head.classes.length} classes`,
      );
    const file = path.join(folder, clipExampleFile(clip.class));
    examples.push({ ...clip, frames: await readFrames(file, head.kind) });
  }
  return { ...head, examples };
}

async function readFrames(file: string, kind: ClipExamples['kind']): Promise<ClipFrames> {
  const { dtype, shape, data } = decodeNpy(await readResultBytes(file, 'frames'), file);
  const [steps = 0, channels = 0] = shape;
  const fits = kind === 'events' ? channels === 2 : steps === 1 && (channels === 1 || channels === 3);
  if (shape.length === 4 && fits && isCounts(data)) return { shape, data };
  const expected = kind === 'events' ? '[T, 2, H, W]' : '[1, 1, H, W] or [1, 3, H, W]';
  const problem = `it holds ${dtype} [${shape.join(', ')}], expected whole numbers ${expected}`;
  return refuse({ file, fix: fixOf('frames') }, problem);
}

function encodeFrames({ shape, data }: ClipFrames): Uint8Array {
  let largest = 0;
  for (const count of data) if (count > largest) largest = count;
  const dtype = largest <= 0xff ? 'uint8' : largest <= 0xffff ? 'uint16' : 'uint32';
  const narrow = newNpyData(dtype, data.length);
  narrow.set(data);
  return encodeNpy({ dtype, shape, data: narrow });
}

function isCounts(data: NpyData): data is NpyData<CountType> {
  return data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Uint32Array;
}
