import { hasErrorCode, messageOf, ReproError } from '../../base/errors.ts';
import { sha256Of } from '../../base/sha256.ts';
import { cutClips, listTrialClips, rowsByRecording } from '../../data/dvs128-gesture/clips.ts';
import { labelsNameOf } from '../../data/dvs128-gesture/files.ts';
import {
  describeFrames,
  type FrameRow,
  FrameRows,
  limitClips,
  PolarityTally,
} from '../../data/frames/frame-rows.ts';
import { type FrameSettings, layoutOf } from '../../data/frames/frame-settings.ts';
import {
  formatDatasetTexts,
  planRecordings,
  type SimulationOptions,
  simulateFiles,
} from '../../data/simulated/dataset.ts';
import { encodeNpy, newNpyData } from '../../formats/npy.ts';
import { countElements } from '../../formats/tensor.ts';
import type { Engine } from '../../network/engines/engine.ts';
import { FRAME_CACHE_FILES } from '../../results/clip-index.ts';
import type { GestureFacts } from '../../results/dataset-facts.ts';
import { clipsOfArray } from '../../training/clip-source.ts';
import {
  type EvaluationParams,
  evaluateRun,
  formatEvaluationFiles,
  settleEvaluation,
} from '../../training/evaluate-run.ts';
import { assembleFrames } from '../../training/frame-cache.ts';
import {
  type ModelFile,
  type ModelSections,
  overridesOf,
  resolveModel,
} from '../../training/resolve-model.ts';
import { formatRunFiles, trainOnFrames } from '../../training/train-on-frames.ts';
import { type Baseline, findBaselineRun, type RunFacts } from '../baseline/baseline.ts';
import {
  type ComparedValue,
  listFrames,
  listResult,
  listTraining,
  pairAllValues,
  pairValues,
} from '../baseline/digits.ts';
import { collectFramesFacts, collectRunFacts, collectTrainingFacts } from '../baseline/run-facts.ts';

/** What can be recomputed: the content of a profile and of the files that it names, and of its committed baseline. */
export interface Recipe {
  readonly profile: ModelSections & {
    readonly simulate: SimulationOptions;
    readonly frames: FrameSettings;
    readonly evaluate: EvaluationParams;
  };
  /** In whose layout the recordings are. */
  readonly dataset: Pick<GestureFacts, 'name' | 'classes' | 'sensor'>;
  /** By name. */
  readonly models: Readonly<Record<string, ModelFile>>;
  readonly baseline: Pick<Baseline, 'profile' | 'frames' | 'runs'>;
}

/** In this order; each counts something else. */
type RecomputePhase = 'simulation' | 'frames' | 'training' | 'evaluation';

/** What was computed last. */
type RecomputedPart = 'frames' | `epoch ${number}` | 'result';

export type RecomputeEvent =
  | Readonly<{ kind: 'progress'; phase: RecomputePhase; done: number; total: number }>
  /** Values that were not yet compared, in the order in which they arose. */
  | Readonly<{ kind: 'compared'; part: RecomputedPart; values: readonly ComparedValue[] }>
  /** What was recomputed, as a baseline keeps it, and all values that were compared. `run` is null if the training diverged. */
  | Readonly<{
      kind: 'end';
      frames: Baseline['frames'];
      run: RunFacts | null;
      values: readonly ComparedValue[];
    }>;

interface RecomputeOptions {
  readonly model: string;
  readonly seed: number;
  readonly engine: Engine;
  readonly tell: (event: RecomputeEvent) => void;
}

/**
 * Computes one model and seed from nothing, with the code of the stages, and compares it with the committed baseline as it goes. The last
 * event is the end.
 *
 * @throws {ReproError} `recompute-unknown` for a model or seed that the baseline does not have
 */
export async function recompute(recipe: Recipe, options: RecomputeOptions): Promise<void> {
  const { profile, baseline } = recipe;
  const { model: id, seed, engine, tell } = options;
  const committed = findBaselineRun(baseline, options);
  const file = recipe.models[id];
  if (committed === undefined || file === undefined)
    throw new ReproError('recompute-unknown', `the baseline has no ${id} with seed ${seed}.`);
  const expected = listResult(baseline.frames, committed);
  const { version } = engine.description;
  const progress = (phase: RecomputePhase) => (done: number, total: number) =>
    tell({ kind: 'progress', phase, done, total });
  const told = new Map<string, ComparedValue>();
  const compare = (part: RecomputedPart, pairs: readonly ComparedValue[]): void => {
    const values = pairs.filter(({ name }) => !told.has(name));
    for (const value of values) told.set(value.name, value);
    tell({ kind: 'compared', part, values });
  };

  const stored = await simulateFrames(recipe, progress);
  const end = (run: RunFacts | null): void =>
    tell({ kind: 'end', frames: stored.facts, run, values: [...told.values()] });
  compare('frames', pairValues(expected, listFrames(stored.facts)));
  const model = resolveModel(file, overridesOf(id, profile), `configs/models/${id}.yaml`);
  const { frameOrder } = model.training;
  const frames = await assembleFrames(stored, FRAME_CACHE_FILES.index, undefined, frameOrder);
  const trained = await trainOnFrames(frames, {
    ...{ engine, seed, model, id },
    progress: ({ done, total }) => progress('training')(done, total),
    onEpoch: async ({ outcome: { rows } }) => {
      const batches = rows.flatMap(({ first }) => first);
      const facts = collectTrainingFacts(rows, batches, nameFiles({ metrics: '', firstBatches: '' }));
      compare(`epoch ${rows.length}`, pairValues(expected, listTraining(facts)));
    },
  }).catch((error: unknown) => {
    if (!hasErrorCode(error, 'training-diverged')) throw error;
    const rest = pairAllValues(
      expected.filter(({ name }) => !told.has(name)),
      [],
    );
    const value = `diverged: ${messageOf(error)}`;
    compare('result', [...rest.slice(0, 1).map((first) => ({ ...first, value })), ...rest.slice(1)]);
    return null;
  });
  if (trained === null) return end(null);
  const { run, clips, outcome } = trained;
  const evaluated = await evaluateRun(engine, frames, settleEvaluation(run, profile.evaluate), {
    ...{ split: clips.split, state: outcome.best.state, last: outcome.last },
    ...{ signal: new AbortController().signal, warn: () => {}, onProgress: progress('evaluation') },
  });
  const written = { ...formatRunFiles(trained), ...formatEvaluationFiles(evaluated) };
  const facts = await collectRunFacts(
    nameFiles({
      run: written['run.json'],
      metrics: written['metrics.csv'],
      firstBatches: written['first-batches.csv'],
      evaluation: written['evaluation.json'],
      predictions: written['predictions.csv'],
    }),
    written['best.safetensors'],
    { model: id, seed, engine: version, evaluationEngine: version },
  );
  compare('result', pairAllValues(expected, listResult(stored.facts, facts)));
  end(facts);
}

/** Files in memory, whose errors nobody can mend by a command. */
function nameFiles<Name extends string>(texts: Readonly<Record<Name, string>>) {
  const files = Object.entries<string>(texts).map(([file, text]) => [file, { file, text, fix: '' }]);
  return Object.fromEntries(files) as Record<Name, { file: string; text: string; fix: string }>;
}

/** The stages `simulate` and `frames`. */
async function simulateFrames(
  { profile: { simulate, frames: settings }, dataset: facts }: Recipe,
  progress: (phase: RecomputePhase) => (done: number, total: number) => void,
) {
  const texts = new Map(Object.entries(formatDatasetTexts(simulate)));
  const recordings = new Map<string, Uint8Array>();
  const planned = planRecordings(simulate);
  for (const [index, recording] of planned.entries()) {
    const { aedat, labels } = simulateFiles(simulate, recording);
    const file = `${recording.name}.aedat`;
    recordings.set(file, aedat);
    texts.set(labelsNameOf(file), labels);
    progress('simulation')(index + 1, planned.length);
  }
  const listed = listTrialClips(facts, texts, { where: 'the simulation', overlaps: settings.overlaps });
  const clips = limitClips(listed, settings);
  const layout = layoutOf(settings, facts.sensor);
  const rows = new FrameRows(layout, settings.normalization === 'frequency');
  const made: FrameRow[] = [];
  const tally = new PolarityTally();
  const wanted = [...rowsByRecording(clips)];
  for (const [index, [file, own]] of wanted.entries()) {
    const { sensor } = facts;
    for (const clip of cutClips(recordings.get(file)!, own, { ...settings, file, sensor })) {
      const row = rows.make(clip);
      tally.add(row.split, row.counts, settings.steps);
      made.push(row);
    }
    progress('frames')(index + 1, wanted.length);
  }
  const widest = Math.max(...made.map(({ counts }) => counts.BYTES_PER_ELEMENT));
  const dtype = widest === 1 ? 'uint8' : widest === 2 ? 'uint16' : 'uint32';
  const index = describeFrames({ facts, simulated: true, settings, clips }, made, dtype);
  const { height, width } = index.frames;
  const shape = [settings.steps, 2, height, width] as const;
  const storeSplit = async (split: 'train' | 'test') => {
    const data = newNpyData(dtype, clips[split].length * countElements(shape));
    for (const { row, counts } of made.filter((one) => one.split === split))
      data.set(counts, row * counts.length);
    const file = encodeNpy({ dtype, shape: [clips[split].length, ...shape], data });
    const of = await collectFramesFacts(index, split, await sha256Of(file), tally.metrics());
    return { source: clipsOfArray(shape, dtype, data), facts: of };
  };
  const [train, test] = [await storeSplit('train'), await storeSplit('test')];
  return { index, train: train.source, test: test.source, facts: { train: train.facts, test: test.facts } };
}
