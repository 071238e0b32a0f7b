import { distance } from 'fastest-levenshtein';
import { ReproError } from '../base/errors.ts';
import { type Clip, SPLITS, type Split } from './contract/clips.ts';
import type { EventDataset, ImageDataset, ReadOptions } from './contract/dataset.ts';
import type { ClipEvents } from './events/frames.ts';

interface NamedClip {
  readonly split: Split;
  readonly clip: Clip;
  /** `user24_led.aedat:3` if its recording has several, otherwise the recording. */
  readonly name: string;
}

/**
 * Finds the clip called `recording` or `recording:n`, n from 1 in label order. The recording's folder and ending may be left out.
 *
 * @throws {ReproError} `clip-unknown` with the closest names or the recording's clips
 */
export async function findClip(
  dataset: EventDataset,
  root: string,
  wanted: string,
  options: ReadOptions,
): Promise<NamedClip> {
  const [, recording = wanted, position] = /^(.*):(\d+)$/.exec(wanted) ?? [];
  const clips = await dataset.listClips(root, options);
  const all = SPLITS.flatMap((split) => clips[split].map((clip) => ({ split, clip })));
  const own = all.filter(({ clip }) => clip.recording === recording);
  const found = own.length > 0 ? own : all.filter(({ clip }) => isShortFor(recording, clip.recording));
  const names = [...new Set(found.map(({ clip }) => clip.recording))];
  const name = names[0];
  if (name === undefined) {
    return fail(
      `${dataset.facts.title} here has no recording "${recording}".`,
      describeClosest(recording, all),
    );
  }
  if (names.length > 1)
    fail(`"${recording}" fits ${names.length} recordings.`, `For example ${names.slice(0, 4).join(', ')}.`);
  if (found.length === 1 && position === undefined) return { ...found[0]!, name };
  const one = position === undefined ? undefined : found[Number(position) - 1];
  if (one !== undefined) return { ...one, name: `${name}:${position}` };
  const list = found.map(({ clip }, i) => `${name}:${i + 1} ${dataset.facts.classes[clip.class]}`);
  return fail(
    position === undefined ? `${name} has ${found.length} clips.` : `${name} has no clip ${position}.`,
    `Choose one of\n  ${list.join('\n  ')}`,
  );
}

/** `user24_led` for `user24_led.aedat`, `00018` for `Test/7/00018.bin`. */
function isShortFor(name: string, recording: string): boolean {
  const base = baseOf(recording);
  return name === base || name === base.replace(/\.[^.]+$/, '') || recording.endsWith(`/${name}`);
}

function baseOf(recording: string): string {
  return recording.slice(recording.lastIndexOf('/') + 1);
}

function describeClosest(recording: string, all: readonly { readonly clip: Clip }[]): string {
  const names = [...new Set(all.map(({ clip }) => clip.recording))];
  const closest = names
    .map((name) => ({
      name,
      far: Math.min(distance(name, recording), distance(baseOf(name).replace(/\.[^.]+$/, ''), recording)),
    }))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3);
  const isClose = (closest[0]?.far ?? 0) <= recording.length / 2;
  return `${isClose ? 'Closest' : 'Names look like'}: ${closest.map(({ name }) => name).join(', ')}.`;
}

function fail(message: string, fix: string): never {
  throw new ReproError('clip-unknown', message, { fix });
}

/** Reads one clip's events and gives them to `use` while they are valid. */
export async function readClip<T>(
  dataset: EventDataset,
  root: string,
  { split, clip }: NamedClip,
  options: ReadOptions,
  use: (events: ClipEvents, span: { readonly startUs: number; readonly endUs: number }) => T,
): Promise<T> {
  const clips = { train: [], test: [], [split]: [clip] };
  let result: { readonly value: T } | undefined;
  await dataset.readClips(root, clips, { ...options, invalidEvents: 'keep' }, async (read) => {
    result = { value: use(read.events, read) };
  });
  if (result === undefined) throw new RangeError(`${clip.recording} was listed but not read`);
  return result.value;
}

/**
 * Finds the image called `train/n` or `test/n`, n from 0 in file order.
 *
 * @returns its class and its pixels, [C, H, W]
 * @throws {ReproError} `clip-unknown`
 */
export async function readNamedImage(
  dataset: ImageDataset,
  root: string,
  wanted: string,
  options: ReadOptions,
): Promise<{ readonly class: number; readonly pixels: Uint8Array }> {
  const match = /^(train|test)\/(\d+)$/.exec(wanted);
  const split: Split = match?.[1] === 'train' ? 'train' : 'test';
  if (match === null) {
    return fail(
      `"${wanted}" is not the name of an image.`,
      'Images are train/0, train/1, … and test/0, test/1, ….',
    );
  }
  const { pixels, labels } = (await dataset.readImages(root, options))[split];
  const image = Number(match[2]);
  const label = labels[image];
  if (label === undefined) fail(`there is no ${wanted}.`, `The last one is ${split}/${labels.length - 1}.`);
  const { channels, height, width } = dataset.facts.image;
  const length = channels * height * width;
  return { class: label ?? 0, pixels: pixels.slice(image * length, (image + 1) * length) };
}
