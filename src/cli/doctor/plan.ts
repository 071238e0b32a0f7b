import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { EngineDescription } from '../../engines/engine.ts';
import { loadAddon } from '../../engines/native/addon.ts';
import { type BatchNeed, type MemoryPlan, planMemory } from '../../engines/native/memory-plan.ts';
import { chooseEngine } from '../../engines/selection/choose-engine.ts';
import { ReproError } from '../../errors.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { suggestName } from '../../schema/closest-name.ts';
import { getAt } from '../../schema/json.ts';
import { JsonSchema } from '../../schema/json-schema.ts';
import { PassedChecks } from '../../schema/passed-checks.ts';
import { throwProblems } from '../../schema/problems.ts';
import { findFileProblems } from '../../schema/schema-problems.ts';
import { countParameters } from '../../snn/parameters.ts';
import type { NetworkSpec } from '../../snn/spec.ts';
import { formatBytes } from '../../text.ts';
import { printLines, printWarning } from '../lines.ts';
import { loadPlanForReading, type PipelineOptions, printJson } from '../load.ts';
import { buildModel } from '../run/model-check.ts';
import { probeCudaApart } from './cuda-probe.ts';
import { engineOf } from './facts.ts';

const modelsFolder = 'configs/models';

/** `batchSize` of the stage `evaluate`, unless the profile has another. */
const usualEvaluationBatch = 16;

export interface PlanOptions extends PipelineOptions {
  readonly plan: string;
  readonly json?: boolean;
}

/**
 * `repro doctor --plan MODEL`: what training and evaluating a model will need under a profile. It reads no data.
 *
 * @throws {ReproError} `out-of-memory` if the memory available here is not enough, after the plan is printed
 */
export async function planModel(options: PlanOptions): Promise<void> {
  const plan = await loadPlanForReading(options);
  const file = await findModel(plan, options.plan);
  const { default: definition } = await import('../../../schemas/model.schema.json', {
    with: { type: 'json' },
  });
  const schema = new JsonSchema(definition, 'schemas/model.schema.json');
  const { projectRoot } = plan;
  throwProblems(await findFileProblems(file, schema, { projectRoot, passed: PassedChecks.none() }));
  const { model, spec } = await buildModel(plan, file, getAt(plan.settings, ['train']) ?? {});
  if (spec === undefined) throw unknownFrames(plan);
  for (const warning of model.warnings) printWarning(warning);

  const batches = {
    training: model.training.batchSize,
    evaluation: numberAt(plan, 'evaluate', 'batchSize') ?? usualEvaluationBatch,
  };
  const steps = stepsOf(spec) ?? numberAt(plan, 'frames', 'steps') ?? 1;
  const engine = (await chooseEngine(engineOf(plan.settings), { probe: probeCudaApart })).description;
  const memory = engine.name === 'native' ? planNative(spec, steps, batches, plan) : undefined;
  const facts: Facts = { plan, file, title: model.title, spec, steps, engine, batches, memory };
  const problem = memory && findShortage(memory, file);
  if (options.json === true) printJson(describePlan(facts, memory && problem === undefined));
  else printLines(linesOf(facts));
  if (problem !== undefined) throw problem;
  if (options.json !== true && memory !== undefined) {
    const total = formatBytes(memory.parameterBytes + memory.training.bytes);
    process.stdout.write(`This fits: training needs ${total} in all.\n`);
  }
}

interface Facts {
  readonly plan: Plan;
  readonly file: string;
  readonly title: string;
  readonly spec: NetworkSpec;
  readonly steps: number;
  readonly engine: EngineDescription;
  readonly batches: { readonly training: number; readonly evaluation: number };
  readonly memory: MemoryPlan | undefined;
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

/** T of a network for still images. */
function stepsOf({ layers }: NetworkSpec): number | undefined {
  return layers.find((layer) => layer.kind === 'repeat')?.steps;
}

function numberAt({ settings }: Plan, ...keys: readonly string[]): number | undefined {
  const value = getAt(settings, keys);
  return typeof value === 'number' ? value : undefined;
}

function planNative(
  spec: NetworkSpec,
  steps: number,
  batches: Facts['batches'],
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

function describeMemory(bytes: number): string {
  return Number.isFinite(bytes) ? `${formatBytes(bytes)} of memory` : 'more memory than can be addressed';
}

function linesOf(facts: Facts): (readonly [string, string])[] {
  const { plan, file, title, spec, steps, engine, batches, memory } = facts;
  const count = (value: number): string => value.toLocaleString('en-GB');
  const batchLine = ({ samples, bytes, largest }: BatchNeed): string =>
    `${describeMemory(bytes)} for a batch of ${samples}; the largest that fits: ${count(largest)}`;
  return [
    ['model', `${title} (${file}) with profile ${plan.profile}`],
    ['frames', `${spec.input.join(' x ')}, T = ${steps}, ${spec.classes} classes`],
    ['network', `${count(countParameters(spec))} parameters`],
    ['engine', `${engine.name} (${engine.reason})`],
    ...(memory === undefined
      ? ([
          [
            'memory',
            `unknown beforehand with this engine; batches of ${batches.training} (training) and ${batches.evaluation} (evaluation)`,
          ],
        ] as const)
      : ([
          ['parameters', `${describeMemory(memory.parameterBytes)}, with gradients and Adam's moments`],
          ['training', batchLine(memory.training)],
          ['evaluation', batchLine(memory.evaluation)],
          ['available', `${formatBytes(memory.availableBytes)} now`],
        ] as const)),
  ];
}

function describePlan(facts: Facts, fits: boolean | undefined): object {
  const { plan, file, title, spec, steps, engine, batches, memory } = facts;
  const need = ({ samples, bytes, largest }: BatchNeed) => ({
    batchSize: samples,
    bytes: Number.isFinite(bytes) ? bytes : null,
    largestBatch: largest,
  });
  return {
    version: 1,
    command: 'doctor',
    plan: {
      profile: plan.profile,
      model: { file, title },
      frames: spec.input,
      steps,
      classes: spec.classes,
      parameters: countParameters(spec),
      engine,
      batchSizes: batches,
      memory:
        memory === undefined
          ? null
          : {
              parameterBytes: memory.parameterBytes,
              training: need(memory.training),
              evaluation: need(memory.evaluation),
              availableBytes: memory.availableBytes,
            },
      fits: fits ?? null,
    },
  };
}
