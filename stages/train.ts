import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { chooseEngine, type EngineChoice } from '../src/engines/choose-engine.ts';
import { describeEngine } from '../src/engines/engine.ts';
import { buildNetwork } from '../src/snn/networks.ts';
import { countParameters } from '../src/snn/parameters.ts';
import { defineStage } from '../src/stage/define-stage.ts';
import { CheckpointStore } from '../src/training/checkpoint-store.ts';
import { describeCompat } from '../src/training/compat.ts';
import { labelsOf, openFrameCache } from '../src/training/frame-cache.ts';
import { trainNetwork } from '../src/training/loop.ts';
import { describeRun, writeRunFiles } from '../src/training/run-files.ts';
import { readSeed, warnOfSeed } from '../src/training/seed.ts';
import { resolveModel } from '../src/training/settings.ts';
import { chooseTrainingClips } from '../src/training/training-clips.ts';

interface Params {
  /** The engine, and the profile's overrides of the model's own settings. */
  readonly train: { readonly engine: EngineChoice; readonly [setting: string]: unknown };
}

export default defineStage<Params>({
  summary: 'Trains one model with one seed and keeps its best and last state.',
  async run({ params, matrix, inputs, outputs, resume, signal, progress, metrics, note, warn }) {
    const [framesFolder, modelFile] = inputs as [string, string];
    const [folder] = outputs as [string];
    const seed = readSeed(matrix.seed);
    const model = resolveModel(
      parse(await readFile(modelFile, 'utf8')),
      params.train,
      `configs/models/${basename(modelFile)}`,
    );
    for (const warning of [...model.warnings, warnOfSeed(seed)]) if (warning !== undefined) warn(warning);
    const engine = await chooseEngine(params.train.engine);
    note(describeEngine(engine.description));

    const frames = await openFrameCache(framesFolder);
    try {
      const { index } = frames;
      const network = { input: frames.input, classes: index.classes.length, ...model.network };
      const spec = buildNetwork(network);
      const clips = chooseTrainingClips(index, model, seed);
      for (const warning of clips.warnings) warn(warning);
      const outcome = await trainNetwork({
        engine,
        spec,
        seed,
        settings: model.training,
        compat: clips.compat,
        split: clips.split,
        train: { source: frames.train, labels: labelsOf(index.splits.train) },
        test: { source: frames.test, labels: labelsOf(index.splits.test) },
        ...(resume[0] === undefined ? {} : { checkpoints: new CheckpointStore(resume[0], warn) }),
        signal,
        progress,
        note,
        log: (line) => console.log(line), // stdout is the stage's log
      });

      const { title, training } = model;
      const { compat } = clips;
      const run = describeRun({
        // A model is called by its file's name, as the profile's `models` call it.
        model: { id: basename(modelFile, '.yaml'), title },
        seed,
        index,
        engine: engine.description,
        network,
        parameters: countParameters(spec),
        training,
        compat,
        split: clips.split,
        outcome,
      });
      await writeRunFiles(folder, run, { spec, clips, outcome });
      metrics({
        // Counted from 1, as people and the report count; files count from 0, as the original did.
        bestEpoch: run.best.epoch + 1,
        validationAccuracy: run.best.validationAccuracy,
        testAccuracy: run.best.testAccuracy,
        maximumTestAccuracy: run.maximum.test.accuracy,
        finalLoss: outcome.rows.at(-1)?.train.loss ?? null,
        compat: describeCompat(compat),
      });
    } finally {
      await frames.close();
    }
  },
});
