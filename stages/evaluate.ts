import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSafetensors } from '../src/formats/safetensors.ts';
import {
  describeEngine,
  type EngineChoice,
  isLastResort,
  isSameEngine,
} from '../src/network/engines/engine.ts';
import { chooseEngine } from '../src/network/engines/selection/engines.ts';
import { readRun, readSplit } from '../src/results/run-file.ts';
import { readResultFile, writeStageFiles } from '../src/results/stage-files.ts';
import { defineStage, requireInput, requireOutput } from '../src/runner/stage/define-stage.ts';
import {
  type EvaluationParams,
  evaluateRun,
  formatEvaluationFiles,
  settleEvaluation,
  summariseEvaluation,
} from '../src/training/evaluate-run.ts';
import { openFrameCache } from '../src/training/open-frames.ts';

interface Params {
  readonly evaluate?: EvaluationParams & { readonly engine?: EngineChoice };
}

export default defineStage<Params>({
  summary: 'Runs the chosen epoch of a trained model over the test and the validation clips.',
  async run({ params, facts, inputs, outputs, cpus, signal, progress, metrics, note, warn }) {
    const framesFolder = requireInput(inputs, 'frames');
    const trained = requireInput(inputs, 'trained');
    const folder = requireOutput(outputs, 0, 'evaluation');
    const read = (name: string) => readResultFile(join(trained, name), 'train');
    const run = readRun(await read('run.json'));
    const split = readSplit(await read('split.json'));
    const readState = async (name: string) =>
      readSafetensors(await readFile(join(trained, name)), join(trained, name)).tensors;
    const state = await readState('best.safetensors');

    const settings = settleEvaluation(run, params.evaluate);
    const { spec, steps, trainingBatch, batchSize } = settings;
    const choice = params.evaluate?.engine ?? 'auto';
    const engine = await chooseEngine(choice, {
      threads: cpus,
      fact: facts.engine,
      workload: { spec, steps, trainingBatch, evaluationBatch: batchSize },
    });
    // Only worth a note if it is not the engine of the training: results may differ in the last digits.
    if (!isSameEngine(engine.description, run.engine)) {
      const tell = isLastResort(choice, engine.description) ? warn : note;
      tell(describeEngine(engine.description));
    }

    const frames = await openFrameCache(framesFolder, () => split.testUsers, run.training.frameOrder);
    try {
      const last = await readState('last.safetensors');
      const evaluated = await evaluateRun(engine, frames, settings, {
        ...{ split, state, last, signal, warn },
        onProgress: (done, total) => progress({ done, total, unit: 'clips' }),
      });
      await writeStageFiles(folder, formatEvaluationFiles(evaluated));
      metrics({ ...summariseEvaluation(evaluated), ...evaluated.cost });
    } finally {
      await frames.close();
    }
  },
});
