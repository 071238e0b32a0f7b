import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../errors.ts';
import { readRegular } from '../files/regular-file.ts';
import { type Fields, parseFields } from '../formats/fields.ts';
import { type CountType, decodeNpy, encodeNpy, type NpyData, newNpyData } from '../formats/npy.ts';
import { countElements } from '../snn/tensor.ts';
import { FRAME_CACHE_FIX } from './clip-index.ts';

/** The folder beside the frame cache that holds one clip of each class, and the file that describes them. */
export const CLIP_EXAMPLES = { folder: 'examples', index: 'examples.json' } as const;

const VERSION = 1;
const KINDS = ['events', 'images'] as const;

/** `events`: counts of dark and bright events, [T, 2, H, W]. `images`: still images, [1, 1 or 3, H, W], uint8. */
type ClipKind = (typeof KINDS)[number];

/** The frames of one clip. */
export interface ClipFrames {
  /** [T, C, H, W]: steps, polarities or colours, rows, columns. */
  readonly shape: readonly number[];
  /** C order. */
  readonly data: NpyData<CountType>;
}

/** One clip with what is known of it. */
export interface ClipExample {
  /** From 0. */
  readonly class: number;
  /** Path of its file in the data set: `user24_led.aedat`, `Test/0/00001.bin`. */
  readonly recording: string;
  /** Number of the person and name of the lighting; null if the data set has neither. */
  readonly user: number | null;
  readonly light: string | null;
  /** The clip holds the events with `startUs <= t < endUs`; null for still images. */
  readonly startUs: number | null;
  readonly endUs: number | null;
  /** Number of these events: the sum of the counts; null for still images. */
  readonly events: number | null;
  readonly frames: ClipFrames;
}

/** The first test clip of each class, for people to look at without reading the whole frame cache. */
export interface ClipExamples {
  readonly dataset: string;
  readonly simulated: boolean;
  readonly kind: ClipKind;
  readonly classes: readonly string[];
  /** By class, at most one of each: a class without test clips has none. */
  readonly examples: readonly ClipExample[];
}

/** The file of a class: `07.npy`. */
export function clipExampleFile(index: number): string {
  return `${String(index).padStart(2, '0')}.npy`;
}

/**
 * Writes `examples.json` and for each example `<class>.npy`, in the smallest of uint8, uint16 and uint32 that holds its counts.
 *
 * @param folder created if needed, with its parents; expected to be empty
 * @throws {ReproError} `clip-examples` if classes are unknown or out of order, or frames do not fit the kind or their description
 */
export async function writeClipExamples(folder: string, content: ClipExamples): Promise<void> {
  const file = path.join(folder, CLIP_EXAMPLES.index);
  const fail = (index: number, problem: string): never => {
    throw new ReproError('clip-examples', `example ${index} ${problem}.`, { where: file });
  };
  checkOrder(content, (index, problem) => fail(index, problem));
  for (const [index, example] of content.examples.entries()) {
    checkExample(content.kind, example, (_, problem) => fail(index, problem));
  }
  await mkdir(folder, { recursive: true });
  for (const example of content.examples) {
    await writeFile(path.join(folder, clipExampleFile(example.class)), encodeFrames(example.frames));
  }
  await writeFile(file, formatIndex(content));
}

/**
 * Reads what `writeClipExamples` wrote, checking every field and every file.
 *
 * @throws {ReproError} `clip-examples` naming the file, the field, what was expected and what was found; `npy` for a damaged array
 */
export async function readClipExamples(folder: string): Promise<ClipExamples> {
  const file = path.join(folder, CLIP_EXAMPLES.index);
  const text = Buffer.from(await readBytes(file)).toString('utf8');
  const fields = parseFields(text, { file, code: 'clip-examples', fix: FRAME_CACHE_FIX });
  const version = fields.count('version');
  if (version !== VERSION) fields.fail('version', `is ${version}, expected ${VERSION}`);
  const kind = fields.choice('kind', KINDS);
  const classes = fields.texts('classes');
  const examples: ClipExample[] = [];
  for (const entry of fields.objects('examples')) {
    const example = await readExample(folder, entry, classes.length);
    checkExample(kind, example, (name, problem) => entry.fail(name, problem));
    examples.push(example);
  }
  const content = {
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    kind,
    classes,
    examples,
  };
  checkOrder(content, (index, problem) => fields.fail(`examples[${index}].class`, problem));
  return content;
}

/** One example per line, so that the file is readable. */
function formatIndex({ examples, ...head }: ClipExamples): string {
  const text = JSON.stringify({ version: VERSION, ...head }, null, 1).replace(/\n}$/, '');
  const lines = examples.map(({ frames: _, class: index, ...rest }) => {
    return `  ${JSON.stringify({ class: index, file: clipExampleFile(index), ...rest })}`;
  });
  return `${text},\n "examples": [\n${lines.join(',\n')}\n ]\n}\n`;
}

async function readExample(folder: string, fields: Fields, classes: number): Promise<ClipExample> {
  const index = fields.number('class', { min: 0, max: classes - 1, integer: true });
  const name = fields.text('file');
  // Also keeps a damaged index from naming files elsewhere.
  if (name !== clipExampleFile(index))
    fields.fail('file', `is "${name}", expected "${clipExampleFile(index)}"`);
  const file = path.join(folder, name);
  const { dtype, shape, data } = decodeNpy(await readBytes(file), file);
  if (!isCounts(data) || dtype === 'bool') {
    throw new ReproError('clip-examples', `its element type is ${dtype}, expected uint8, uint16 or uint32.`, {
      where: file,
      fix: FRAME_CACHE_FIX,
    });
  }
  return {
    class: index,
    recording: fields.text('recording'),
    user: fields.has('user') ? fields.count('user') : null,
    light: fields.has('light') ? fields.text('light') : null,
    startUs: fields.has('startUs') ? fields.count('startUs') : null,
    endUs: fields.has('endUs') ? fields.count('endUs') : null,
    events: fields.has('events') ? fields.count('events') : null,
    frames: { shape, data },
  };
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readRegular(file);
  } catch (cause) {
    const problem = hasErrorCode(cause, 'ENOENT')
      ? 'the file is missing.'
      : `the file cannot be read: ${String(cause)}`;
    throw new ReproError('clip-examples', problem, { where: file, fix: FRAME_CACHE_FIX, cause });
  }
}

function checkOrder(
  { classes, examples }: ClipExamples,
  fail: (index: number, problem: string) => never,
): void {
  for (const [index, { class: one }] of examples.entries()) {
    if (!Number.isInteger(one) || one < 0 || one >= classes.length) {
      fail(index, `is of class ${one}, but there are ${classes.length} classes`);
    }
    const before = examples[index - 1]?.class ?? -1;
    if (one <= before) fail(index, `is of class ${one}, after one of class ${before}`);
  }
}

function checkExample(
  kind: ClipKind,
  { frames, startUs, endUs, events }: ClipExample,
  fail: (name: string, problem: string) => never,
): void {
  const { shape, data } = frames;
  const [steps = 0, channels = 0] = shape;
  const fits =
    kind === 'events' ? steps >= 1 && channels === 2 : steps === 1 && (channels === 1 || channels === 3);
  if (shape.length !== 4 || !fits || shape.some((size) => !Number.isInteger(size) || size < 1)) {
    const expected = kind === 'events' ? '[T, 2, H, W]' : '[1, 1, H, W] or [1, 3, H, W]';
    fail('file', `has frames [${shape.join(', ')}], expected ${expected}`);
  }
  if (data.length !== countElements(shape)) {
    fail(
      'file',
      `has ${data.length} counts, but its shape [${shape.join(', ')}] needs ${countElements(shape)}`,
    );
  }
  if (kind === 'images') {
    if (largestOf(data) > 0xff) fail('file', `has a pixel of ${largestOf(data)}, expected 0 to 255`);
    if (startUs !== null || endUs !== null || events !== null) {
      fail('events', 'and times must be null for a still image');
    }
    return;
  }
  if (startUs === null || endUs === null || events === null) {
    fail('events', 'and times must be numbers for a clip of events');
    return;
  }
  if (endUs < startUs) fail('endUs', `is ${endUs}, before startUs, ${startUs}`);
  let sum = 0;
  for (const count of data) sum += count;
  if (sum !== events) fail('events', `is ${events}, but the counts add up to ${sum}`);
}

function encodeFrames({ shape, data }: ClipFrames): Uint8Array {
  const largest = largestOf(data);
  const dtype = largest <= 0xff ? 'uint8' : largest <= 0xffff ? 'uint16' : 'uint32';
  const narrow = newNpyData(dtype, data.length);
  narrow.set(data);
  return encodeNpy({ dtype, shape, data: narrow });
}

function largestOf(data: NpyData<CountType>): number {
  let largest = 0;
  for (const count of data) if (count > largest) largest = count;
  return largest;
}

function isCounts(data: NpyData): data is NpyData<CountType> {
  return data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Uint32Array;
}
