import path from 'node:path';
import { ReproError } from '../errors.ts';
import { warnOfSeed } from '../training/seed.ts';
import { type ResolvedModel, resolveModel } from '../training/settings.ts';
import { type ParsedArguments, parseArguments } from './arguments.ts';
import type { CompatPresetName } from './compat-presets.ts';
import { countFittingLayers, describePublishedStop, originalDatasets } from './data-sets.ts';
import { nameFolders } from './folder-names.ts';
import { type Configuration, describeConfiguration } from './model-config.ts';

/** Everything that follows from a command line alone, without looking at data. */
export interface Preparation {
  readonly words: readonly string[];
  readonly parsed: ParsedArguments;
  readonly configuration: Configuration;
  readonly model: ResolvedModel;
  /** Its name in a profile. */
  readonly dataset: string;
  /** The profile for the real recordings. */
  readonly profile: string;
  /** Null for still images. */
  readonly frames: Configuration['profile']['frames'];
  readonly device: string;
  /** Absolute. */
  readonly logFolder: string;
  readonly checkpointFolder: string;
  readonly notes: readonly string[];
}

/**
 * Parses the arguments of a training and works out everything that follows from them.
 *
 * @param folder what a relative `-log_dir_prefix` is relative to
 * @throws {ReproError} `arguments-invalid`; `compat-impossible`
 */
export function prepareTraining(
  words: readonly string[],
  compat: CompatPresetName,
  folder: string,
): Preparation {
  const parsed = parseArguments(words, 'training');
  const { device, log_dir_prefix, seed } = parsed.values;
  const configuration = describeConfiguration(parsed, compat);
  const { dataset, frames } = configuration.profile;
  const model = resolveModel(configuration.model, {}, 'the arguments');
  const seedWarning = warnOfSeed(seed);
  const stop = describePublishedStop(parsed.values);
  const names = nameFolders(parsed);
  const prefix = path.resolve(folder, log_dir_prefix ?? '');
  return {
    words,
    parsed,
    configuration,
    model,
    dataset: dataset.name,
    profile: dataset.profile,
    frames,
    device: device ?? 'cpu',
    logFolder: path.join(prefix, names.log),
    checkpointFolder: path.join(prefix, names.checkpoints),
    notes: [
      ...parsed.notes,
      ...(stop === null ? [] : [stop]),
      ...configuration.notes,
      ...model.warnings,
      ...(seedWarning === undefined ? [] : [seedWarning]),
    ],
  };
}

/**
 * Checks that the frames are large enough for the layers.
 *
 * @param downsample how many pixels of the sensor are merged into one, in each direction
 *
 * @throws {ReproError} `arguments-invalid`
 */
export function checkLayersFit({ parsed }: Preparation, downsample: number): void {
  const { dataset_name, number_layer } = parsed.values;
  const dataset = originalDatasets[dataset_name];
  if (dataset.kind !== 'events' || number_layer === null) return;
  const [height, width] = dataset.sensor;
  const frame = [Math.floor(height / downsample), Math.floor(width / downsample)] as const;
  const most = countFittingLayers(frame);
  if (number_layer <= most) return;
  throw new ReproError(
    'arguments-invalid',
    `-number_layer ${number_layer}: each layer halves the frame, and with frames.downsample ${downsample} its ${frame.join(' x ')} pixels allow at most ${most}.`,
    { fix: 'Use fewer layers, or a smaller --set frames.downsample.' },
  );
}
