import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { describeEngine, type EngineChoice, isLastResort } from '../src/network/engines/engine.ts';
import { chooseEngine } from '../src/network/engines/selection/engines.ts';
import { describeCompat } from '../src/results/thesis/compat.ts';
import { defineStage, requireInput, requireOutput } from '../src/runner/stage/define-stage.ts';
import { CheckpointStore } from '../src/training/checkpoint-store.ts';
import type { Folds } from '../src/training/folds.ts';
import {
  type ModelOverrides,
  type ModelSections,
  overridesOf,
  resolveModel,
} from '../src/training/resolve-model.ts';
import { readSeed } from '../src/training/schedule.ts';
import { trainModel, workloadOf, writeRunFiles } from '../src/training/train-model.ts';

interface Params extends ModelSections {
  /** The engine, and settings that override those of the model's file. */
  readonly train: ModelOverrides & { readonly engine: EngineChoice };
  readonly dataset?: { readonly folds?: Folds; readonly validation?: 'users' };
}

export default defineStage<Params>({
  summary: 'Trains one model with one seed and keeps its best and last state.',
  async run({ params, matrix, facts, inputs, outputs, resume, cpus, signal, progress, metrics, note, warn }) {
    const framesFolder = requireInput(inputs, 'frames');
    const modelFile = requireInput(inputs, 'model');
    const folder = requireOutput(outputs, 0, 'trained model');
    const seed = readSeed(matrix.seed);
    // The id of a model is the name of its file, as in `models` of a profile.
    const id = basename(modelFile, '.yaml');
    const resolved = resolveModel(
      parse(await readFile(modelFile, 'utf8')),
      overridesOf(id, params),
      `configs/models/${id}.yaml`,
    );
    const { folds, validation } = params.dataset ?? {};
    const model =
      validation === undefined ? resolved : { ...resolved, training: { ...resolved.training, validation } };
    const engine = await chooseEngine(params.train.engine, {
      threads: cpus,
      fact: facts.engine,
      workload: await workloadOf(framesFolder, model),
    });
    const tell = isLastResort(params.train.engine, engine.description) ? warn : note;
    tell(describeEngine(engine.description));

    const result = await trainModel({
      framesFolder,
      folds,
      model,
      id,
      seed,
      engine,
      ...(resume[0] === undefined ? {} : { checkpoints: new CheckpointStore(resume[0], warn) }),
      signal,
      progress,
      note,
      log: (line) => console.log(line), // stdout goes to the stage's log
    });
    await writeRunFiles(folder, result);
    const { run, clips, outcome } = result;
    metrics({
      // From 1, as people and the report count; files count from 0, as the original did.
      bestEpoch: run.best.epoch + 1,
      validationAccuracy: run.best.validationAccuracy,
      testAccuracy: run.best.testAccuracy,
      maximumTestAccuracy: run.maximum.test.accuracy,
      finalLoss: outcome.rows.at(-1)?.train.loss ?? null,
      compat: describeCompat(clips.compat),
    });
  },
});
