import { ReproError } from '../errors.ts';
import { type OriginalArguments, parseArguments } from '../original/arguments.ts';
import { formatModelFile, translateArguments } from '../original/model-config.ts';
import type { Preparation } from '../original/preparation.ts';
import { nameFolders } from '../original/preparation.ts';
import type { DataSettings } from '../original/run-record.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { isJsonObject, type JsonObject } from '../schema/json.ts';
import { mostBlocks } from '../snn/networks.ts';
import type { CompatPresetName } from '../thesis/compat.ts';
import { findOriginal } from '../thesis/data-sets.ts';
import { loadSelectedPlan, type PipelineOptions } from './load-plan.ts';

/** The model file that is equivalent to the original's arguments, with notes on what it leaves out; `document` has the profile's settings, too. */
export function configureAsOriginal(
  words: readonly string[],
  preset: CompatPresetName,
): { readonly file: string; readonly notes: readonly string[]; readonly document: object } {
  const parsed = parseArguments(words, 'configuration');
  const configuration = translateArguments(parsed, preset);
  const { model, profile } = configuration;
  const notes = [...parsed.notes, ...configuration.notes];
  return {
    file: formatModelFile(configuration, words),
    notes,
    document: { model, profile, folders: nameFolders(parsed), notes },
  };
}

/** What `--set` may change: the recordings, and settings of frames that no argument of the original controls. */
const freeSettings = [
  ...['dataset', 'simulate', 'frames.downsample', 'frames.limit', 'frames.invalidEvents'],
  ...['frames.overlaps', 'frames.rowStride'],
];

/**
 * Rejects overrides of settings that arguments control, or that this command does not use.
 *
 * @throws {ReproError} `usage`
 */
export function refuseOverrides(assignments: readonly string[]): void {
  for (const assignment of assignments) {
    const key = (assignment.split('=', 1)[0] ?? '').trim();
    if (freeSettings.some((one) => key === one || key.startsWith(`${one}.`))) continue;
    throw new ReproError(
      'usage',
      'an argument of the original controls this setting, or this command does not use it.',
      {
        where: `--set ${assignment}`,
        fix: `--set is for ${freeSettings.map((one) => (one.includes('.') ? one : `${one}.*`)).join(', ')}.`,
      },
    );
  }
}

/** An error's advice is for the pipeline: names the command that makes the frames of this training, and where its settings come from. */
export function adviseInArguments(
  { code, message, where, fix, cause }: ReproError,
  framesCommand: string,
): ReproError {
  const own = fix?.replaceAll('./repro run frames', framesCommand);
  const settings = 'Here, arguments of the original control these settings: ./repro train-val --help.';
  return new ReproError(code, message, {
    where,
    fix: own !== undefined && /`(?:train|compat)\./.test(own) ? `${own}\n${settings}` : own,
    cause,
  });
}

/** Defaults of a profile: whether or not it sets these explicitly, it is the same training. */
const frameDefaults: JsonObject = { downsample: 1, invalidEvents: 'keep', normalization: 'none' };

/**
 * Loads the graph with the data of a profile and the frames that the arguments describe. Values that the profile already has are not
 * overridden, so that frames made by `repro run` are up to date here too.
 *
 * @throws {ReproError} `usage` if the profile is for another data set than the arguments; `arguments-invalid` if its frames are too
 *   small for the layers
 */
export async function loadDataPlan(
  { values, profile: { dataset, frames } }: Preparation,
  options: PipelineOptions,
): Promise<{ readonly plan: Plan; readonly pipeline: PipelineOptions; readonly data: DataSettings }> {
  let pipeline: PipelineOptions = { ...options, profile: options.profile ?? dataset.profile };
  let plan = await loadSelectedPlan(pipeline);
  const { name, simulated } = sectionOf(plan, 'dataset');
  if (name !== dataset.name) {
    throw new ReproError(
      'usage',
      `profile "${plan.profile}" is for ${String(name)}, but -dataset_name is ${values.dataset_name}.`,
      { where: `--profile ${plan.profile}`, fix: 'Choose a profile for that data set.' },
    );
  }
  const said = { ...frameDefaults, ...sectionOf(plan, 'frames') };
  const unsaid = Object.entries(frames ?? {}).filter(([key, value]) => said[key] !== value);
  if (unsaid.length > 0) {
    pipeline = {
      ...pipeline,
      set: [...options.set, ...unsaid.map(([key, value]) => `frames.${key}=${value}`)],
    };
    plan = await loadSelectedPlan(pipeline);
  }
  const data = {
    dataset: { name, simulated: simulated === true },
    ...(simulated === true ? { simulate: sectionOf(plan, 'simulate') } : {}),
    frames: { ...said, ...frames },
  };
  checkLayersFit(values, Number(said.downsample));
  return { plan, pipeline, data };
}

/** @param downsample how many pixels of the sensor are merged into one, in each direction */
function checkLayersFit({ dataset_name, number_layer }: OriginalArguments, downsample: number): void {
  const dataset = findOriginal(dataset_name);
  if (dataset.kind !== 'events' || number_layer === null) return;
  const height = Math.floor(dataset.sensor.height / downsample);
  const width = Math.floor(dataset.sensor.width / downsample);
  const most = mostBlocks(height, width);
  if (number_layer <= most) return;
  throw new ReproError(
    'arguments-invalid',
    `-number_layer ${number_layer}: each layer halves the frame, and with frames.downsample ${downsample} its ${height} x ${width} pixels allow at most ${most}.`,
    { fix: 'Use fewer layers, or a smaller --set frames.downsample.' },
  );
}

function sectionOf(plan: Plan, key: string): JsonObject {
  const section = plan.settings[key];
  return section !== undefined && isJsonObject(section) ? section : {};
}
