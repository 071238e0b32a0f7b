import * as v from 'valibot';
import { ReproError } from '../../base/errors.ts';
import { count, type Value } from '../../base/files/shape.ts';
import { escapeControls } from '../../base/text.ts';
import { type ClipIndex, type FrameFormat, frameFormat } from '../../results/clip-index.ts';
import { readResult } from '../../results/result-file.ts';
import {
  networkConfigShape,
  pickTestUsers,
  type RunFile,
  TRAINED_ORDERS,
  testUsersShape,
} from '../../results/run-file.ts';

/** It may come from anywhere, and is shown on terminals. */
const shownText = v.pipe(v.string(), v.transform(escapeControls));

/** What a state was trained on; null if unknown. */
const trainedOnShape = v.object({
  dataset: v.nullish(shownText, null),
  simulated: v.nullish(v.boolean(), null),
  /** T: frames per clip. */
  steps: v.nullish(count, null),
  frames: v.nullish(frameFormat, null),
  ...testUsersShape,
  frameOrder: v.exactOptional(v.picklist(TRAINED_ORDERS)),
});
export type TrainedOn = Value<typeof trainedOnShape>;

/** What a safetensors file written here says about itself, so that it can be evaluated wherever it lies. */
const metadataShape = v.object({
  network: networkConfigShape,
  trainedOn: trainedOnShape,
  /** Where it comes from, for people: `baseline, seed 2020, best epoch 7`. */
  source: shownText,
  /** What an import had to assume. */
  assumed: v.array(v.object({ what: shownText })),
});
type ExportMetadata = Value<typeof metadataShape>;

/** 2: with all of the frames' format. */
const METADATA_VERSION = 2;
const KEY = 'repro';

/**
 * A safetensors file's `__metadata__`, which holds only strings. Hugging Face's loaders expect `format: pt` there; the
 * safetensors package itself does not.
 */
export function encodeMetadata(metadata: ExportMetadata | null): Record<string, string> {
  if (metadata === null) return { format: 'pt' };
  const simulated: Record<string, string> = metadata.trainedOn.simulated ? { data: 'simulated' } : {};
  return { format: 'pt', ...simulated, [KEY]: JSON.stringify({ version: METADATA_VERSION, ...metadata }) };
}

/** Whether `decodeMetadata` finds something to decode. */
export function isExported(metadata: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(metadata, KEY);
}

/** @returns null if it has none of ours @throws {ReproError} `network-invalid` if ours is damaged */
export function decodeMetadata(
  metadata: Readonly<Record<string, string>>,
  file: string,
): ExportMetadata | null {
  const text = metadata[KEY];
  if (text === undefined) return null;
  const fix = 'Export or import it again: `./repro export state`, `./repro import`.';
  const from = { file: `${file}: metadata`, text, code: 'network-invalid', fix };
  return readResult(from, metadataShape, METADATA_VERSION);
}

/** For a state from elsewhere, where at most T is known. */
export function trainedElsewhere(steps: number | null): TrainedOn {
  return { dataset: null, simulated: null, steps, frames: null };
}

/** What a training of this project was trained on. */
export function trainedHere({ dataset, simulated, frames, split, training }: RunFile): TrainedOn {
  const data = { dataset: escapeControls(dataset), simulated, steps: frames.steps, frames };
  const { frameOrder } = training;
  return { ...data, ...pickTestUsers(split), ...(frameOrder === undefined ? {} : { frameOrder }) };
}

/** The settings of a profile, under `frames`, that give such frames. */
function settingsOf({ height: _, width: __, dtype: ___, ...frames }: FrameFormat): Record<string, unknown> {
  return { overlaps: 'both', rowStride: 'width', ...frames, normalization: frames.normalization ?? 'none' };
}

/**
 * Rejects frames made differently from those of the training: a network that learned from normalised counts only guesses
 * when shown plain ones, and nothing in its figures would reveal it.
 *
 * @param allowOther whether other frames are intended
 * @returns each allowed difference as a warning
 * @throws {ReproError} `frames-differ` with the settings that give the frames of the training
 */
export function refuseOtherFrames(
  { dataset, steps, frames }: TrainedOn,
  index: ClipIndex,
  { source, allowOther }: { readonly source: string; readonly allowOther: boolean },
): string[] {
  const here = settingsOf(index.frames);
  const settings = Object.entries(frames === null ? { steps } : settingsOf(frames)).filter(
    ([key, value]) => value != null && here[key] != null && value !== here[key],
  );
  const lines = settings.map(([key, value]) => `frames.${key}: ${value} in its training, ${here[key]} here`);
  const isOtherDataset = dataset !== null && dataset !== index.dataset;
  if (isOtherDataset) lines.unshift(`dataset.name: ${dataset} in its training, ${index.dataset} here`);
  if (lines.length === 0 || allowOther) {
    return lines.map((line) => `These frames differ from those of its training: ${line}.`);
  }
  const fixes = [
    ...(isOtherDataset ? [`Choose a profile for ${dataset} with --profile.`] : []),
    ...(settings.length === 0
      ? []
      : [`Add ${settings.map(([key, value]) => `--set frames.${key}=${value}`).join(' ')}`]),
    'To use these frames anyway, add --other-frames.',
  ];
  throw new ReproError(
    'frames-differ',
    `these frames differ from those of its training.\n${lines.map((line) => `  ${line}`).join('\n')}`,
    { where: source, fix: fixes.join('\n') },
  );
}

/** A warning if it was trained on real recordings and these are simulated, or the other way round. */
export function warnOfSimulated({ simulated }: TrainedOn, index: ClipIndex): string[] {
  const kind = (isSimulated: boolean): string => (isSimulated ? 'simulated' : 'real');
  return simulated === null || simulated === index.simulated
    ? []
    : [`It was trained on ${kind(simulated)} recordings, but these are ${kind(index.simulated)}.`];
}
