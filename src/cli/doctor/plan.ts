import process from 'node:process';
import type { PipelineOptions } from '../../apps/load-plan.ts';
import { type BatchNeed, describeMemory, type PlannedModel, planModel } from '../../apps/memory-plan.ts';
import { formatBytes } from '../../text.ts';
import { alignTopics, printResult, printWarning } from '../view/print.ts';

/**
 * `repro doctor --plan MODEL`.
 *
 * @throws {ReproError} `out-of-memory` if the memory available here is not enough, after the plan is printed
 */
export async function printPlan(name: string, options: PipelineOptions): Promise<void> {
  const model = await planModel(name, options, printWarning);
  printResult(options, 'doctor', { plan: documentOf(model) }, () => alignTopics(linesOf(model)));
  const { memory, shortage } = model;
  if (shortage !== undefined) throw shortage;
  if (options.json === true || memory === undefined) return;
  const total = formatBytes(memory.parameterBytes + memory.training.bytes);
  process.stdout.write(`This fits: training needs ${total} in all.\n`);
}

function linesOf(model: PlannedModel): (readonly [string, string])[] {
  const { file, title, steps, engine, memory } = model;
  const { training, evaluation } = model.batches;
  const line = (topic: string, text: string) => [topic, text] as const;
  const count = (value: number): string => value.toLocaleString('en-GB');
  const batchLine = ({ samples, bytes, largest }: BatchNeed): string =>
    `${describeMemory(bytes)} for a batch of ${samples}; the largest that fits: ${count(largest)}`;
  return [
    ['model', `${title} (${file}) with profile ${model.profile}`],
    ['frames', `${model.frames.join(' x ')}, T = ${steps}, ${model.classes} classes`],
    ['network', `${count(model.parameters)} parameters`],
    ['engine', `${engine.name} (${engine.reason})`],
    ...(memory === undefined
      ? [
          line(
            'memory',
            `unknown beforehand with this engine; batches of ${training} (training) and ${evaluation} (evaluation)`,
          ),
        ]
      : [
          line('parameters', `${describeMemory(memory.parameterBytes)}, with gradients and Adam's moments`),
          line('training', batchLine(memory.training)),
          line('evaluation', batchLine(memory.evaluation)),
          line('available', `${formatBytes(memory.availableBytes)} now`),
        ]),
  ];
}

function documentOf(model: PlannedModel): object {
  const { memory, shortage } = model;
  const need = ({ samples, bytes, largest }: BatchNeed) => ({
    batchSize: samples,
    bytes: Number.isFinite(bytes) ? bytes : null,
    largestBatch: largest,
  });
  return {
    profile: model.profile,
    model: { file: model.file, title: model.title },
    frames: model.frames,
    steps: model.steps,
    classes: model.classes,
    parameters: model.parameters,
    engine: model.engine,
    batchSizes: model.batches,
    memory:
      memory === undefined
        ? null
        : { ...memory, training: need(memory.training), evaluation: need(memory.evaluation) },
    fits: memory === undefined ? null : shortage === undefined,
  };
}
