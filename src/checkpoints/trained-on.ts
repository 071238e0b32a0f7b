import { ReproError } from '../errors.ts';
import type { Fields } from '../formats/fields.ts';
import { type ClipIndex, type FrameFormat, frameFormatShape } from '../results/clip-index.ts';
import type { RunFile } from '../results/run-file.ts';
import { object, orNull } from '../results/shape.ts';
import { escapeControls } from '../text.ts';

/** What a state was trained on; null if unknown. */
export interface TrainedOn {
  readonly dataset: string | null;
  readonly simulated: boolean | null;
  /** T: frames per clip. */
  readonly steps: number | null;
  readonly frames: FrameFormat | null;
}

/** For a state from elsewhere, where at most T is known. */
export function trainedElsewhere(steps: number | null): TrainedOn {
  return { dataset: null, simulated: null, steps, frames: null };
}

/** What a training of this project was trained on. */
export function trainedHere({ dataset, simulated, frames }: RunFile): TrainedOn {
  return { dataset: escapeControls(dataset), simulated, steps: frames.steps, frames };
}

/** Reads `trainedOn` of an export's metadata. */
export function readTrainedOn(fields: Fields): TrainedOn {
  return {
    dataset: fields.has('dataset') ? escapeControls(fields.text('dataset')) : null,
    simulated: fields.has('simulated') ? fields.flag('simulated') : null,
    steps: fields.has('steps') ? fields.count('steps') : null,
    frames: orNull(object(frameFormatShape))(fields, 'frames'),
  };
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
