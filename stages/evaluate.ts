import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors } from '../src/formats/safetensors.ts';
import { measureCost } from '../src/network/cost.ts';
import {
  describeEngine,
  type EngineChoice,
  isLastResort,
  isSameEngine,
} from '../src/network/engines/engine.ts';
import { chooseEngine } from '../src/network/engines/selection/engines.ts';
import { buildNetwork } from '../src/network/networks.ts';
import { repeatedSteps } from '../src/network/spec.ts';
import type { FrameOrder, TauChange } from '../src/results/evaluation-file.ts';
import { readResultFile } from '../src/results/result-file.ts';
import { readRun, readSplit } from '../src/results/run-file.ts';
import { defineStage, requireInput, requireOutput } from '../src/runner/stage/define-stage.ts';
import {
  EVALUATION_BATCH,
  evaluateSplits,
  evaluateUntilAborted,
  summariseEvaluation,
  writeEvaluationFiles,
} from '../src/training/evaluation.ts';
import { openFrameCache } from '../src/training/frame-cache.ts';
import { scoringOf } from '../src/training/scores.ts';
import { evaluateTaus } from '../src/training/tau-changes.ts';
import { tauQuantiles } from '../src/training/time-constants.ts';

interface Params {
  readonly evaluate?: {
    readonly engine?: EngineChoice;
    readonly batchSize?: number;
    readonly orders?: readonly FrameOrder[];
    readonly tau?: readonly TauChange[];
  };
}

export default defineStage<Params>({
  summary: 'Runs the chosen epoch of a trained model over the test and the validation clips.',
  async run({ params, inputs, outputs, cpus, signal, progress, metrics, note, warn }) {
    const framesFolder = requireInput(inputs, 'frames');
    const trained = requireInput(inputs, 'trained');
    const folder = requireOutput(outputs, 0, 'evaluation');
    const read = (name: string) => readResultFile(join(trained, name), 'train');
    const run = readRun(await read('run.json'));
    const split = readSplit(await read('split.json'));
    const readState = async (name: string) =>
      readSafetensors(await readFile(join(trained, name)), join(trained, name)).tensors;
    const state = await readState('best.safetensors');

    const spec = buildNetwork(run.network);
    const batchSize = params.evaluate?.batchSize ?? EVALUATION_BATCH;
    const steps = repeatedSteps(spec) ?? run.frames.steps;
    const choice = params.evaluate?.engine ?? 'auto';
    const changes = params.evaluate?.tau ?? [];
    const { frameOrder } = run.training;
    // Trained without an order, it has none to change.
    const orders = frameOrder === undefined ? (params.evaluate?.orders ?? []) : [];
    // Batch norm's statistics are estimated again in training mode.
    const trainingBatch = changes.length === 0 ? 0 : run.training.batchSize;
    const engine = await chooseEngine(choice, {
      threads: cpus,
      workload: { spec, steps, trainingBatch, evaluationBatch: batchSize },
    });
    // Only worth a note if it is not the engine of the training: results may differ in the last digits.
    if (!isSameEngine(engine.description, run.engine)) {
      const tell = isLastResort(choice, engine.description) ? warn : note;
      tell(describeEngine(engine.description));
    }

    const frames = await openFrameCache(framesFolder, () => split.testUsers, frameOrder);
    try {
      const scoring = scoringOf(spec, run.compat);
      const onProgress = (done: number, total: number) => progress({ done, total, unit: 'clips' });
      const session = await engine.open(spec, state);
      const evaluated = await evaluateUntilAborted(session, signal, (beforeBatch) =>
        evaluateSplits(session, frames, Int32Array.from(split.validation), {
          ...{ scoring, batchSize, beforeBatch, warn, onProgress, orders },
        }),
      );
      const tau = await evaluateTaus(engine, changes, {
        ...{ spec, state, seed: run.seed, frames, scoring, batchSize, trainingBatch, signal, onProgress },
        trained: Int32Array.from(split.train),
      });
      const all = { ...evaluated, ...(changes.length === 0 ? {} : { tau }) };
      const taus = {
        chosen: tauQuantiles(spec, state),
        last: tauQuantiles(spec, await readState('last.safetensors')),
      };
      const { evaluation, rows } = evaluated.test;
      const cost = measureCost(spec, steps, { ...evaluation, samples: rows.length });
      await writeEvaluationFiles(folder, { run, classes: frames.index.classes, taus, cost, ...all });
      metrics({ ...summariseEvaluation(all), ...cost });
    } finally {
      await frames.close();
    }
  },
});
