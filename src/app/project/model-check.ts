import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { suggestName } from '../../base/schema/closest-name.ts';
import { getAt, isJsonObject, type Json, type JsonObject } from '../../base/schema/json.ts';
import { formatPlace, type Problem, throwProblems } from '../../base/schema/problems.ts';
import { readYamlFile } from '../../base/schema/yaml-document.ts';
import { frameSize } from '../../data/events/frames.ts';
import { nameReader } from '../../data/samples/names.ts';
import { ShapeError } from '../../formats/tensor.ts';
import { buildNetwork } from '../../network/networks.ts';
import { type NetworkSpec, spikingLayers } from '../../network/spec.ts';
import { type DatasetFacts, tellsUsers } from '../../results/dataset-facts.ts';
import { THESIS } from '../../results/thesis/published.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import {
  type ModelFile,
  type ModelSections,
  overridesOf,
  type ResolvedModel,
  refuseSetting,
  resolveModel,
  type SettingOrigins,
  type TrainingSettings,
} from '../../training/resolve-model.ts';
import { factsOfPlan } from './dataset-files.ts';
import { listModules, trainModule } from './stages.ts';

export const modelsFolder = 'configs/models';

/**
 * Builds every model of a plan before anything runs: otherwise an impossible one might fail after hours of training others. The schema
 * checks only the files, not their combination with a profile.
 *
 * @throws {ConfigurationError} with the problems of each model, and where they come from: its file, the profile, or `--set`
 */
export async function checkModels(plan: Plan): Promise<void> {
  const problems: Problem[] = [];
  const facts = await factsOfPlan(plan);
  problems.push(...(await findRateProblems(plan)));
  if (facts !== undefined) problems.push(...findFrameProblems(plan, facts), ...findUserProblems(plan, facts));
  if (facts?.layout === 'samples') nameReader(facts);
  for (const [file, params] of new Map(listTrainings(plan))) {
    try {
      await buildModel(plan, file, params, facts);
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.push({ at: error.where ?? file, message: error.message, fix: error.fix });
    }
  }
  throwProblems(problems);
}

/** Whether the data set has events or images decides which keys of `frames:` there are. */
function findFrameProblems({ settings, places }: Plan, dataset: DatasetFacts): Problem[] {
  const { kind, name } = dataset;
  const frames = getAt(settings, ['frames']);
  if (frames === undefined || !isJsonObject(frames)) return [];
  const { steps, splitBy } = frames;
  const refuse = (key: string, problem: string, fix: string): Problem => {
    return { at: places.place(['frames', key]), message: `frames.${key}: ${problem}`, fix };
  };
  if (kind === 'events') {
    if (splitBy === 'rows') {
      const problem = `rows is for images, but ${name} consists of events.`;
      return [refuse('splitBy', problem, 'Use number, time or duration.')];
    }
    const missing = ['steps', 'splitBy'].filter((key) => !(key in frames));
    const message = `frames: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing, but ${name} consists of events.`;
    const fix = 'Say how the events of a clip become frames: docs/pipeline.md.';
    if (missing.length > 0) return [{ at: places.place(['frames']), message, fix }];
    try {
      frameSize({ sensor: dataset.sensor, downsample: Number(frames.downsample ?? 1) });
      return [];
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      return [{ at: places.place(['frames', 'downsample']), message: error.message, fix: error.fix }];
    }
  }
  const { height } = dataset.image;
  if (splitBy === 'rows' && (typeof steps !== 'number' || height % steps !== 0)) {
    const problem =
      steps === undefined
        ? 'is missing, which says how many strips of rows an image becomes.'
        : `${steps} does not divide the ${height} rows of an image of ${name}.`;
    return [refuse('steps', problem, `Use ${height}: one row a step.`)];
  }
  const known = splitBy === 'rows' ? ['limit', 'steps', 'splitBy'] : ['limit'];
  const problem = `${name} consists of still images, which have no events to make frames of.`;
  return Object.keys(frames)
    .filter((key) => !known.includes(key))
    .map((key) => refuse(key, problem, 'Remove this key: images have limit, and steps with splitBy: rows.'));
}

/** A model that this run leaves out needs no rate; a name that no model has is a slip. */
async function findRateProblems({ settings, places, projectRoot }: Plan): Promise<Problem[]> {
  const asked = Object.keys(getAt(settings, ['learningRates']) ?? {});
  if (asked.length === 0) return [];
  const files = await readdir(path.resolve(projectRoot, modelsFolder));
  const known = files.map((file) => path.basename(file, '.yaml'));
  return asked
    .filter((id) => !known.includes(id))
    .map((id) => ({
      at: places.place(['learningRates', id]),
      message: `learningRates.${id}: there is no model ${id}.`,
      fix: suggestName(id, known) ?? `${modelsFolder}/ has the models.`,
    }));
}

/** Folds and validation by users need to know whose each clip is. */
function findUserProblems({ settings, places }: Plan, dataset: DatasetFacts): Problem[] {
  const asked = ['folds', 'validation'].filter((key) => getAt(settings, ['dataset', key]) !== undefined);
  const fix = `Remove it. If names of recordings tell who made them, write {user} in configs/datasets/${dataset.name}.yaml.`;
  return (tellsUsers(dataset) ? [] : asked).map((key) => {
    const message = `dataset.${key}: the clips of ${dataset.name} have no users.`;
    return { at: places.place(['dataset', key]), message, fix };
  });
}

/** The model file and the parameters of each training in a plan. */
export function listTrainings(plan: Plan): [file: string, params: JsonObject][] {
  return listModules(plan, trainModule).flatMap(({ inputs, params }): [string, JsonObject][] => {
    const model = inputs.find(({ name }) => name === 'model')?.path;
    return model === undefined ? [] : [[model, params]];
  });
}

/** A model as a plan trains it. */
interface BuiltModel {
  readonly model: ResolvedModel;
  /** Undefined if the size of the frames is unknown. */
  readonly spec: NetworkSpec | undefined;
}

/**
 * Builds a model's layers, without parameters.
 *
 * @param file relative to the project, or absolute; also its name in messages. Its schema accepts it
 * @param sections of the plan's profile, or its part that a training gets
 * @param facts of the plan's data set, if they have been read
 * @throws {ReproError} if it is impossible
 */
export async function buildModel(
  plan: Plan,
  file: string,
  sections: JsonObject,
  facts?: DatasetFacts,
): Promise<BuiltModel> {
  const { value } = await readYamlFile(path.resolve(plan.projectRoot, file), file);
  const placeOf = (key: string): string => formatPlace(plan.places.place(key.split('.')));
  // Their schemas have checked all three.
  const read = value as unknown as ModelFile;
  const asked = { train: {}, ...sections } as unknown as ModelSections;
  const overrides = overridesOf(path.basename(file, '.yaml'), asked);
  const origins = { file, overrides, placeOf };
  const model = resolveModel(read, overrides, file, placeOf);
  checkTrials(plan, model, origins);
  checkValidation(plan, model, origins);
  checkTau(read, model, origins);
  return { model, spec: buildSpec(plan, facts ?? (await factsOfPlan(plan)), model, origins) };
}

function checkTrials({ settings }: Plan, { compat }: ResolvedModel, origins: SettingOrigins): void {
  const dataset = getAt(settings, ['dataset', 'name']);
  if (compat.trials === 'all' || typeof dataset !== 'string' || dataset === THESIS.dataset) return;
  throw refuseSetting(origins, {
    code: 'compat-impossible',
    key: 'compat.trials',
    problem: `first-88 refers to the list trials_to_train.txt, and ${dataset} has no such list.`,
    fix: 'Leave it at `all`: the switch is for DVS128 Gesture.',
  });
}

function checkValidation({ settings }: Plan, model: ResolvedModel, origins: SettingOrigins): void {
  const { validationShare } = model.training;
  const [key, value] =
    validationShare === 0 ? ['validationShare', 0] : ['compat.validation', model.compat.validation];
  if (getAt(settings, ['dataset', 'validation']) === undefined || value === 'all') return;
  const problem = `${value} holds back no whole people, but the profile has \`dataset.validation: users\`.`;
  const fix = 'Change it, or remove `dataset.validation`.';
  throw refuseSetting(origins, { code: 'model-invalid', key, problem, fix });
}

/** Refuses what a model's own file cannot mean; a profile that overrides `neuron` or `tau.per` may take a meaning from other models. */
function checkTau({ network, loss, train }: ModelFile, model: ResolvedModel, origins: SettingOrigins): void {
  const both = [network, model.network];
  const isFixed = both.every(({ neuron }) => neuron === 'lif');
  const isSingle = both.every(({ neuron, tau }) => neuron === 'lif' || tau.per === 'layer');
  const refuse = (key: string, problem: string, fix: string) =>
    refuseSetting(origins, { code: 'model-invalid', key, problem, fix });
  if (isFixed && (train.tauRate ?? 1) !== 1)
    throw refuse('train.tauRate', 'τ of LIF neurons is not learned.', 'Leave it out, or use `neuron: plif`.');
  const refuseIdle = (key: string, meaning: string, idle: string) => {
    const problem = `${meaning}, but here a layer has a single τ, or τ is fixed.`;
    return refuse(key, problem, `${idle}, or use \`neuron: plif\` with \`tau.per: neuron\` or \`channel\`.`);
  };
  if (isSingle && [loss.regulariseTau].flat().some((lambda) => lambda > 0))
    throw refuseIdle('loss.regulariseTau', 'λ weighs the variance of τ within a layer', 'Set it to 0');
  const values = origins.overrides.network?.tau?.values ?? (isSingle ? network.tau.values : undefined);
  if (values !== undefined && model.network.tau.values === undefined)
    throw refuseIdle('network.tau.values', 'neurons of a layer take these τ in turn', 'Leave it out');
}

function checkLambdas(spec: NetworkSpec, { regulariseTau }: TrainingSettings, origins: SettingOrigins): void {
  const layers = spikingLayers(spec).length;
  if (typeof regulariseTau === 'number' || regulariseTau.length === layers) return;
  throw refuseSetting(origins, {
    code: 'model-invalid',
    key: 'loss.regulariseTau',
    problem: `expected a number or a list of ${layers} (one for each spiking layer), found a list of ${regulariseTau.length}.`,
    fix: 'Give as many numbers as the network has spiking layers, which a profile may change (`train.network.layers`).',
  });
}

function buildSpec(
  { settings }: Plan,
  dataset: DatasetFacts | undefined,
  { network, training }: ResolvedModel,
  origins: SettingOrigins,
): NetworkSpec | undefined {
  const input = dataset && inputOf(dataset, settings);
  if (dataset === undefined || input === undefined) return undefined;
  const { name } = dataset;
  const isShownStill = dataset.kind === 'images' && !isRows(settings);
  if (isShownStill && training.frameOrder !== undefined) {
    const problem = `${name} consists of still images, each a single frame: there is no order to change.`;
    throw refuseSetting(origins, { code: 'model-invalid', key: 'frameOrder', problem, fix: 'Leave it out.' });
  }
  const isStill = network.architecture !== undefined && network.architecture !== 'event-frames';
  if (isShownStill && !isStill) {
    throw refuseSetting(origins, {
      code: 'model-invalid',
      key: 'network.architecture',
      problem: `event-frames is for event recordings, but ${name} consists of still images.`,
      fix: `Choose a model with \`architecture: ${dataset.network.architecture}\`, such as configs/models/${dataset.profile}.yaml, or \`frames.splitBy: rows\`.`,
    });
  }
  try {
    const spec = buildNetwork({ input, classes: dataset.classes.length, ...network });
    checkLambdas(spec, training, origins);
    return spec;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const { key = 'architecture' } = error;
    const problem = `${error.message.replace(/^network: /, '')}.`;
    const fixes: Readonly<Record<string, string>> = {
      channels: 'Use fewer channels.',
      layers: isStill ? 'Leave them out.' : 'Use fewer layers, or larger frames (`frames.downsample`).',
      architecture: isShownStill
        ? 'Choose the architecture for images of this size: docs/networks.md.'
        : `This architecture is for still images, but ${name} has ${dataset.kind === 'images' ? 'rows as steps' : 'events'}: docs/networks.md.`,
    };
    const fix = fixes[key] ?? 'See schemas/model.schema.json.';
    throw refuseSetting(origins, { code: 'model-invalid', key: `network.${key}`, problem, fix });
  }
}

/** Whether images become clips of rows. */
function isRows(settings: Json): boolean {
  return getAt(settings, ['frames', 'splitBy']) === 'rows';
}

/** [C, H, W] of a frame; undefined if sensor or image cannot be divided, which `findFrameProblems` rejects. */
function inputOf(dataset: DatasetFacts, settings: Json): [number, number, number] | undefined {
  if (dataset.kind === 'images') {
    const { channels, height, width } = dataset.image;
    const strips = isRows(settings) ? Number(getAt(settings, ['frames', 'steps'])) : 1;
    return height % strips === 0 ? [channels, height / strips, width] : undefined;
  }
  const downsample = getAt(settings, ['frames', 'downsample']) ?? 1;
  if (typeof downsample !== 'number') return undefined;
  const { height, width } = dataset.sensor;
  if (height % downsample !== 0 || width % downsample !== 0) return undefined;
  return [2, height / downsample, width / downsample];
}
