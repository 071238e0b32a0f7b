import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { EngineDescription } from '../engines/engine.ts';
import { describeMemory } from '../engines/memory-error.ts';
import { loadAddon } from '../engines/native/addon.ts';
import { type BatchNeed, type MemoryPlan, planMemory } from '../engines/native/memory.ts';
import { chooseEngine } from '../engines/selection/engines.ts';
import { ReproError } from '../errors.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { suggestName } from '../schema/closest-name.ts';
import { getAt } from '../schema/json.ts';
import { JsonSchema } from '../schema/json-schema.ts';
import { PassedChecks } from '../schema/passed-checks.ts';
import { throwProblems } from '../schema/problems.ts';
import { findFileProblems } from '../schema/schema-problems.ts';
import { countParameters } from '../snn/parameters.ts';
import { type NetworkSpec, repeatedSteps } from '../snn/spec.ts';
import { formatBytes } from '../text.ts';
import { EVALUATION_BATCH } from '../training/evaluation.ts';
import { probeCudaApart } from './cuda-probe.ts';
import { engineOf } from './facts.ts';
import { loadPlanForReading, type PipelineOptions, type Warn } from './load-plan.ts';
import { buildModel } from './model-check.ts';

export type { BatchNeed };

const modelsFolder = 'configs/models';

/**
 * What training and evaluating a model will need under a profile. It reads no data.
 *
 * @param name of the model, or the path of its file
 */
export async function planModel(name: string, options: PipelineOptions, warn: Warn): Promise<PlannedModel> {
  const plan = await loadPlanForReading(options, warn);
  const file = await findModel(plan, name);
  const { default: definition } = await import('../../schemas/model.schema.json', {
    with: { type: 'json' },
  });
  const schema = new JsonSchema(definition, 'schemas/model.schema.json');
  const { projectRoot } = plan;
  throwProblems(await findFileProblems(file, schema, { projectRoot, passed: PassedChecks.none() }));
  const { model, spec } = await buildModel(plan, file, getAt(plan.settings, ['train']) ?? {});
  if (spec === undefined) throw unknownFrames(plan);
  for (const warning of model.warnings) warn(warning);
  const batches = {
    training: model.training.batchSize,
    evaluation: numberAt(plan, 'evaluate', 'batchSize') ?? EVALUATION_BATCH,
  };
  const steps = repeatedSteps(spec) ?? numberAt(plan, 'frames', 'steps') ?? 1;
  const engine = (await chooseEngine(engineOf(plan.settings), { probe: probeCudaApart })).description;
  const memory = engine.name === 'native' ? planNative(spec, steps, batches, plan) : undefined;
  return {
    profile: plan.profile,
    file,
    title: model.title,
    frames: spec.input,
    classes: spec.classes,
    parameters: countParameters(spec),
    steps,
    engine,
    batches,
    memory,
    shortage: memory && findShortage(memory, file),
  };
}

/** What a model needs. */
export interface PlannedModel {
  readonly profile: string;
  /** Relative to the project. */
  readonly file: string;
  readonly title: string;
  readonly frames: NetworkSpec['input'];
  readonly classes: number;
  readonly parameters: number;
  readonly steps: number;
  readonly engine: EngineDescription;
  readonly batches: { readonly training: number; readonly evaluation: number };
  /** Undefined if the engine cannot tell beforehand. */
  readonly memory: MemoryPlan | undefined;
  /** `out-of-memory` if the memory available here is not enough. */
  readonly shortage: ReproError | undefined;
}

/** The file of a model, relative to the project. */
async function findModel({ projectRoot }: Plan, name: string): Promise<string> {
  if (/[\\/]|\.ya?ml$/i.test(name)) return path.relative(projectRoot, path.resolve(name));
  const file = path.posix.join(modelsFolder, `${name}.yaml`);
  if (existsSync(path.join(projectRoot, file))) return file;
  const files = await readdir(path.join(projectRoot, modelsFolder)).catch(() => []);
  const known = files.filter((one) => one.endsWith('.yaml')).map((one) => one.slice(0, -'.yaml'.length));
  throw new ReproError('model-unknown', `there is no model "${name}" in ${modelsFolder}.`, {
    fix: `${suggestName(name, known.sort()) ?? ''} Or name a file, as in ./${name}.yaml.`.trim(),
  });
}

function unknownFrames({ settings, profile }: Plan): ReproError {
  const name = JSON.stringify(getAt(settings, ['dataset', 'name']) ?? null);
  const downsample = String(getAt(settings, ['frames', 'downsample']) ?? 1);
  return new ReproError(
    'frames-unknown',
    `profile ${profile} does not say how large frames are: dataset.name is ${name}, frames.downsample ${downsample}.`,
    { fix: 'Choose another profile, or `--set` these.' },
  );
}

function numberAt({ settings }: Plan, ...keys: readonly string[]): number | undefined {
  const value = getAt(settings, keys);
  return typeof value === 'number' ? value : undefined;
}

function planNative(
  spec: NetworkSpec,
  steps: number,
  batches: PlannedModel['batches'],
  plan: Plan,
): MemoryPlan | undefined {
  const loaded = loadAddon();
  if (!loaded.ok) return undefined;
  const workload = { steps, trainingBatch: batches.training, evaluationBatch: batches.evaluation };
  return planMemory(loaded.addon, spec, workload, { threads: numberAt(plan, 'threads') });
}

/** The need of the first that does not fit. */
function findShortage(
  { parameterBytes, availableBytes, training, evaluation }: MemoryPlan,
  file: string,
): ReproError | undefined {
  const shortage = (what: string, key: string, { samples, bytes, largest }: BatchNeed) =>
    parameterBytes + bytes <= availableBytes
      ? undefined
      : new ReproError(
          'out-of-memory',
          `${what} needs ${describeMemory(parameterBytes + bytes)} for a batch of ${samples}; ` +
            `${formatBytes(availableBytes)} are available.`,
          {
            where: file,
            fix:
              largest > 0
                ? `Lower the batch size to ${largest} or less: \`--set ${key}=${largest}\`.`
                : 'Use a smaller network, or a machine with more memory.',
          },
        );
  return (
    shortage('training', 'train.batchSize', training) ??
    shortage('evaluation', 'evaluate.batchSize', evaluation)
  );
}

export { describeMemory };
