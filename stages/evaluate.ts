import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeEngine, type EngineChoice, isLastResort, isSameEngine } from '../src/engines/engine.ts';
import { chooseEngine } from '../src/engines/selection/engines.ts';
import { readSafetensors } from '../src/formats/safetensors.ts';
import { readResultFile } from '../src/results/result-file.ts';
import { readRun, readSplit } from '../src/results/run-file.ts';
import { buildNetwork } from '../src/snn/networks.ts';
import { repeatedSteps } from '../src/snn/spec.ts';
import { defineStage, requirePath } from '../src/stage/define-stage.ts';
import {
  EVALUATION_BATCH,
  evaluateClips,
  evaluateUntilAborted,
  writeEvaluationFiles,
} from '../src/training/evaluation.ts';
import { labelsOf, openFrameCache } from '../src/training/frame-cache.ts';
import { scoringOf } from '../src/training/scores.ts';
import { tauQuantiles } from '../src/training/time-constants.ts';

interface Params {
  readonly evaluate?: { readonly engine?: EngineChoice; readonly batchSize?: number };
}

export default defineStage<Params>({
  summary: 'Runs the chosen epoch of a trained model over the test and the validation clips.',
  async run({ params, inputs, outputs, cpus, signal, progress, metrics, note, warn }) {
    const framesFolder = requirePath(inputs, 0, 'frames');
    const trained = requirePath(inputs, 1, 'trained model');
    const folder = requirePath(outputs, 0, 'evaluation');
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
    const engine = await chooseEngine(choice, {
      threads: cpus,
      workload: { spec, steps, trainingBatch: 0, evaluationBatch: batchSize },
    });
    // Only worth a note if it is not the engine of the training: results may differ in the last digits.
    if (!isSameEngine(engine.description, run.engine)) {
      const tell = isLastResort(choice, engine.description) ? warn : note;
      tell(describeEngine(engine.description));
    }

    const frames = await openFrameCache(framesFolder);
    try {
      const { classes, splits } = frames.index;
      const parts = {
        test: { rows: Int32Array.from(splits.test.keys()), clips: splits.test, source: frames.test },
        validation: { rows: Int32Array.from(split.validation), clips: splits.train, source: frames.train },
      };
      const total = parts.test.rows.length + parts.validation.rows.length;
      let done = 0;
      const session = await engine.open(spec, state);
      const evaluate = ({ rows, clips, source }: (typeof parts)['test'], beforeBatch: () => Promise<void>) =>
        evaluateClips(session, { source, labels: labelsOf(clips) }, rows, {
          scoring: scoringOf(spec, run.compat),
          batchSize,
          beforeBatch,
          afterBatch: (clips) => {
            done += clips;
            progress({ done, total, unit: 'clips' });
          },
        });
      const { test, validation } = await evaluateUntilAborted(session, signal, async (beforeBatch) => ({
        test: await evaluate(parts.test, beforeBatch),
        validation: parts.validation.rows.length === 0 ? null : await evaluate(parts.validation, beforeBatch),
      }));

      await writeEvaluationFiles(folder, {
        run,
        classes,
        test: { ...parts.test, evaluation: test },
        validation: validation && { ...parts.validation, evaluation: validation },
        taus: {
          chosen: tauQuantiles(spec, state),
          last: tauQuantiles(spec, await readState('last.safetensors')),
        },
      });
      metrics({
        testAccuracy: test.score.accuracy,
        testClips: parts.test.rows.length,
        validationAccuracy: validation?.score.accuracy ?? null,
      });
    } finally {
      await frames.close();
    }
  },
});
