import path from 'node:path';
import { ReproError } from '../errors.ts';
import { originalDatasets } from '../original/data-sets.ts';
import type { Plan, StageInstance } from '../runner/plan.ts';
import { getAt, type Json, type JsonObject } from '../schema/json.ts';
import { type Problem, throwProblems } from '../schema/problems.ts';
import { formatPlace } from '../schema/source-position.ts';
import { readYamlFile } from '../schema/yaml-document.ts';
import { buildNetwork } from '../snn/networks.ts';
import { ShapeError } from '../snn/shape-error.ts';
import { SettingOrigins } from '../training/setting-origins.ts';
import { type ResolvedModel, resolveModel } from '../training/settings.ts';

/** The stage whose second input is a model's file, and whose parameter `train` goes over it. */
const trainModule = 'stages/train.ts';

/** The data set that says in which order its training recordings were listed. */
const listedDataset = 'dvs128-gesture';

/**
 * Puts every model of a plan together as its training will, before anything runs: hours of training may come before the one that cannot
 * be. A schema sees the files alone, and not what a profile makes of them.
 *
 * @throws {ConfigurationError} with what is wrong with each model, and who said it: its file, the profile, or `--set`
 */
export async function checkModels(plan: Plan): Promise<void> {
  const models = new Map(
    [...plan.instances.values()].flatMap((one): [string, JsonObject][] => {
      const model = modelOf(one);
      return model === undefined ? [] : [[model, one.params]];
    }),
  );
  const problems: Problem[] = [];
  for (const [file, params] of models) {
    try {
      await checkModel(plan, file, params.train ?? {});
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.push({ at: error.where ?? file, message: error.message, fix: error.fix });
    }
  }
  throwProblems(problems);
}

function modelOf({ command, inputs }: StageInstance): string | undefined {
  return command.kind === 'module' && command.path === trainModule ? inputs[1]?.path : undefined;
}

async function checkModel(plan: Plan, file: string, overrides: Json): Promise<void> {
  const { value } = await readYamlFile(path.resolve(plan.projectRoot, file), file);
  const placeOf = (key: string): string => formatPlace(plan.places.place(key.split('.')));
  const model = resolveModel(value, overrides, file, placeOf);
  const origins = new SettingOrigins(file, overrides, placeOf);
  checkTrials(plan, model, origins);
  checkShape(plan, model, origins);
}

function checkTrials({ settings }: Plan, { compat }: ResolvedModel, origins: SettingOrigins): void {
  const dataset = getAt(settings, ['dataset', 'name']);
  if (compat.trials === 'all' || typeof dataset !== 'string' || dataset === listedDataset) return;
  throw origins.refuse(
    'compat-impossible',
    'compat.trials',
    `first-88 counts recordings as trials_to_train.txt lists them, and ${dataset} has no such list.`,
    'Leave it at `all`: the switch is for DVS128 Gesture.',
  );
}

/** Builds the network where the size of its frames is known; its numbers are drawn by the training. */
function checkShape({ settings }: Plan, { network }: ResolvedModel, origins: SettingOrigins): void {
  const name = getAt(settings, ['dataset', 'name']);
  const downsample = getAt(settings, ['frames', 'downsample']) ?? 1;
  const dataset = Object.values(originalDatasets).find(({ reader }) => reader?.name === name);
  if (dataset?.kind !== 'events' || typeof downsample !== 'number') return;
  const [height, width] = dataset.sensor.map((pixels) => pixels / downsample);
  // The stage `frames` refuses a sensor that cannot be divided so.
  if (!Number.isInteger(height) || !Number.isInteger(width)) return;
  try {
    buildNetwork({ input: [2, height ?? 0, width ?? 0], classes: dataset.classes, ...network });
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const isStill = network.architecture !== undefined && network.architecture !== 'event-frames';
    throw origins.refuse(
      'model-invalid',
      isStill ? 'network.architecture' : 'network.layers',
      `${error.message.replace(/^network: /, '')}.`,
      isStill
        ? `It is for still images, and ${name} consists of events: docs/networks.md.`
        : 'Ask for fewer layers, or for larger frames (`frames.downsample`).',
    );
  }
}
