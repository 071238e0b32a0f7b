import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { suggestName } from '../../base/schema/closest-name.ts';
import { getAt } from '../../base/schema/json.ts';
import { JsonSchema } from '../../base/schema/json-schema.ts';
import { throwProblems } from '../../base/schema/problems.ts';
import { findFileProblems } from '../../base/schema/schema-problems.ts';
import { formatBytes } from '../../base/text.ts';
import type { BatchNeed, EngineChoice, MemoryPlan, Workload } from '../../network/engines/engine.ts';
import { describeMemory, needsSmallerNetwork } from '../../network/engines/native/memory.ts';
import { chooseEngine } from '../../network/engines/selection/engines.ts';
import { countParameters, repeatedSteps } from '../../network/spec.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { EVALUATION_BATCH } from '../../training/evaluation.ts';
import { engineOf } from '../project/facts.ts';
import { listGpusApart, probeCudaApart } from '../project/gpu-probes.ts';
import { loadSelectedPlan, type PipelineOptions } from '../project/load-plan.ts';
import { buildModel, modelsFolder } from '../project/model-check.ts';
import { alignTopics, printResult } from '../view/print.ts';

type Line = readonly [topic: string, text: string];

/**
 * Prints what training and evaluating a model will need under a profile. It reads no data.
 *
 * @param name of the model, or the path of its file
 * @throws {ReproError} `out-of-memory` if the memory available here is not enough, after the plan is printed
 */
export async function printPlan(name: string, options: PipelineOptions): Promise<void> {
  const plan = await loadSelectedPlan(options);
  const { projectRoot, profile } = plan;
  const file = await findModel(plan, name);
  const { default: definition } = await import('../../../schemas/model.schema.json', {
    with: { type: 'json' },
  });
  const schema = new JsonSchema(definition, 'schemas/model.schema.json');
  throwProblems(await findFileProblems(file, schema, projectRoot));
  const { model, spec } = await buildModel(plan, file, plan.settings);
  if (spec === undefined) throw unknownFrames(plan);
  const training = model.training.batchSize;
  const evaluation = numberAt(plan, 'evaluate', 'batchSize') ?? EVALUATION_BATCH;
  const steps = repeatedSteps(spec) ?? numberAt(plan, 'frames', 'steps') ?? 1;
  const workload = { spec, steps, trainingBatch: training, evaluationBatch: evaluation };
  // Without the workload: of the engine for such networks, it says what fits; a run takes another for what does not.
  const planWith = async (choice: EngineChoice, part: Workload) => {
    const { description, planMemory } = await chooseEngine(choice, {
      ...{ probe: probeCudaApart, listGpus: listGpusApart },
      threads: numberAt(plan, 'threads'),
    });
    return { engine: description, memory: (await planMemory?.(part)) ?? null };
  };
  const choice = engineOf(plan.settings);
  const evaluator = engineOf({ evaluate: getAt(plan.settings, ['evaluate']) ?? null });
  const trained = await planWith(choice, workload);
  const evaluated =
    evaluator === 'auto' || evaluator === choice
      ? trained
      : await planWith(evaluator, { ...workload, trainingBatch: 0 });
  const { engine, memory } = trained;
  const shortage = findShortage(memory, evaluated.memory, file);
  const parameters = countParameters(spec);
  const lines: Line[] = [
    ['model', `${model.title} (${file}) with profile ${profile}`],
    ['frames', `${spec.input.join(' x ')}, T = ${steps}, ${spec.classes} classes`],
    ['network', `${parameters.toLocaleString('en-US')} parameters`],
    ['engine', `${engine.name} (${engine.reason})`],
    ...(evaluated === trained
      ? []
      : [['evaluated with', `${evaluated.engine.name} (${evaluated.engine.reason})`] as const]),
    ...(memory === null || evaluated.memory === null
      ? [
          [
            'memory',
            `unknown in advance with ${(memory === null ? engine : evaluated.engine).name}; batches of ${training} (training) and ${evaluation} (evaluation)`,
          ] as const,
        ]
      : describePlan(memory, evaluated.memory, shortage === undefined)),
  ];
  const document = {
    profile,
    model: { file, title: model.title },
    frames: spec.input,
    steps,
    classes: spec.classes,
    parameters,
    engine,
    evaluationEngine: evaluated.engine,
    batchSizes: { training, evaluation },
    memory: memory &&
      evaluated.memory && {
        parameterBytes: memory.parameterBytes,
        training: documentOf(memory.training, memory.availableBytes),
        evaluation: documentOf(evaluated.memory.evaluation, evaluated.memory.availableBytes),
        availableBytes: finite(memory.availableBytes),
      },
    fits:
      memory && evaluated.memory && Number.isFinite(memory.availableBytes) ? shortage === undefined : null,
  };
  printResult(options, 'doctor', { plan: document }, () => alignTopics(lines));
  if (shortage !== undefined) throw shortage;
}

function describePlan(
  { parameterBytes, training, availableBytes }: MemoryPlan,
  evaluated: MemoryPlan,
  fits: boolean,
): Line[] {
  const isKnown = Number.isFinite(availableBytes);
  const describe = ({ samples, bytes, largest }: BatchNeed, ofBytes = availableBytes): string =>
    `${describeMemory(bytes)} for a batch of ${samples}` +
    (Number.isFinite(ofBytes) ? `; the largest that fits: ${largest.toLocaleString('en-US')}` : '');
  return [
    ['parameters', `${describeMemory(parameterBytes)}, with gradients and Adam's moments`],
    ['training', describe(training)],
    ['evaluation', describe(evaluated.evaluation, evaluated.availableBytes)],
    [
      'available',
      isKnown
        ? `${formatBytes(availableBytes)} now`
        : 'unknown: WebGPU does not report memory; a batch that does not fit is refused',
    ],
    ...(fits && isKnown
      ? [['fits', `training needs ${formatBytes(parameterBytes + training.bytes)} in all`] as const]
      : []),
  ];
}

function documentOf({ samples, bytes, largest }: BatchNeed, availableBytes: number): object {
  const largestBatch = Number.isFinite(availableBytes) ? largest : null;
  return { batchSize: samples, bytes: finite(bytes), largestBatch };
}

/** JSON has no other numbers. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** The file of a model, relative to the project. */
async function findModel({ projectRoot }: Plan, name: string): Promise<string> {
  if (/\/|\.ya?ml$/i.test(name)) return path.relative(projectRoot, path.resolve(name));
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

/** The first of both that does not fit. */
function findShortage(
  trained: MemoryPlan | null,
  evaluated: MemoryPlan | null,
  file: string,
): ReproError | undefined {
  const needs = [
    { what: 'training', key: 'train.batchSize', need: trained?.training, plan: trained },
    { what: 'evaluation', key: 'evaluate.batchSize', need: evaluated?.evaluation, plan: evaluated },
  ];
  const [found] = needs.flatMap(({ need, plan, ...one }) =>
    need && plan && plan.parameterBytes + need.bytes > plan.availableBytes
      ? [{ ...one, ...need, ...plan }]
      : [],
  );
  if (found === undefined) return undefined;
  const { what, key, samples, bytes, largest, parameterBytes, availableBytes } = found;
  return new ReproError(
    'out-of-memory',
    `${what} needs ${describeMemory(parameterBytes + bytes)} for a batch of ${samples}; ` +
      `${formatBytes(availableBytes)} are available.`,
    {
      where: file,
      fix:
        largest > 0
          ? `Lower the batch size to ${largest} or less: \`--set ${key}=${largest}\`.`
          : needsSmallerNetwork,
    },
  );
}
