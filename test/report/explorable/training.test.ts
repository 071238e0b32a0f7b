import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compile, instantiate, type WasmInstance, type WasmNetwork } from 'plif-native/wasm';
import { describe, expect, it } from 'vitest';
import { instanceEngine } from '../../../src/network/engines/native/addon-engine.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import { tauOfLogit } from '../../../src/network/neurons.ts';
import { spikingLayers } from '../../../src/network/spec.ts';
import {
  type LabelledFrames,
  type PageTrainingProgress,
  type PageTrainingTask,
  trainSteps,
} from '../../../src/report/explorable/training.ts';
import { predictClasses, scoringOf } from '../../../src/training/scores.ts';
import { livelyState, nativeEngine, randomBatch } from '../../native/support.ts';
import { thesisNetwork } from '../../support/thesis-network.ts';

const config = {
  ...thesisNetwork,
  input: [2, 8, 10],
  classes: 3,
  channels: 4,
  layers: 2,
  hidden: 9,
  tau: { per: 'neuron', mean: 2, std: 0.2 },
} as const;
const spec = buildNetwork(config);
const state = livelyState(spec);
const trained = { spec, state };

const T = 4;
const clips = (count: number, seed: number): LabelledFrames[] => {
  const { frames, labels } = randomBatch(spec, { samples: count, steps: T, seed });
  const size = frames.data.length / count;
  return Array.from(labels, (label, clip) => ({
    frames: Uint8Array.from(frames.data.subarray(clip * size, (clip + 1) * size)),
    label,
  }));
};
const task: PageTrainingTask = {
  steps: 12,
  stepsBefore: 0,
  settings: {
    batchSize: 3,
    learningRate: 0.01,
    tauRate: 2,
    regularise: 'w',
    loss: 'step',
    lambda: [0.1, 0.3, 0, 0.2],
  },
  training: clips(7, 1),
  heldOut: clips(8, 2),
  clipSteps: T,
};

const folder = path.resolve(import.meta.dirname, '../../../native/wasm');
const engine = instantiate(compile(readFileSync(path.join(folder, 'plif.wasm'))));
type Step = Parameters<WasmNetwork['trainStep']>;

/** The same engine, which keeps what it was asked to train on. */
function recording(steps: Step[]): WasmInstance {
  return {
    ...engine,
    open: (options) => {
      const network = engine.open(options);
      const trainStep = (...step: Step) => {
        steps.push(step);
        return network.trainStep(...step);
      };
      return { ...network, trainStep };
    },
  };
}

async function train(over: Partial<PageTrainingTask> = {}) {
  const steps: Step[] = [];
  const progress: PageTrainingProgress[] = [];
  const on = instanceEngine(recording(steps));
  await trainSteps(on, trained, { ...task, ...over }, (one) => void progress.push(one));
  return { steps, progress, state: progress.at(-1)?.state };
}

const batchesOf = (steps: readonly Step[]) => steps.map(([frames]) => String(frames));

describe('training in the page', () => {
  it('gives the losses, scores, τ and state of an engine session that does the same steps, to the bit', async () => {
    const { steps, progress, state: reached } = await train();
    const session = await nativeEngine('wasm').open(spec, state);
    const heldOut = Uint8Array.from(task.heldOut.flatMap(({ frames }) => [...frames]));
    const score = async () => {
      const outcome = await session.evaluate({ shape: [8, T, ...spec.input], data: heldOut });
      const answers = predictClasses(outcome, scoringOf(spec));
      return task.heldOut.filter(({ label }, clip) => answers[clip] === label).length;
    };
    const expected = { correct: [await score()], losses: [] as number[] };
    for (const [frames, samples, T, labels, dropoutMasks] of steps) {
      const data = Uint8Array.from(frames);
      const batch = { frames: { shape: [samples, T, ...spec.input] as const, data }, labels, dropoutMasks };
      const { learningRate, tauRate, regularise, loss: of, lambda } = task.settings;
      const settings = { learningRate, tauRate, regularise, loss: of, regulariseTau: lambda };
      expected.losses.push((await session.trainStep(batch, settings)).loss);
      expected.correct.push(await score());
    }
    const after = await session.state();
    session.dispose();
    expect(progress.map(({ step }) => step)).toEqual(Array.from({ length: 13 }, (_, step) => step));
    expect(progress.map(({ loss }) => loss)).toEqual([null, ...expected.losses]);
    expect(progress.map(({ correct }) => correct)).toEqual(expected.correct);
    for (const [name, { dtype, data }] of after)
      if (dtype === 'F32') expect(reached?.get(name)?.data, name).toEqual(data);
    expect(reached?.get('fc.2.weight')).not.toEqual(state.get('fc.2.weight'));
    for (const [layer, { name }] of spikingLayers(spec).entries()) {
      const taus = Array.from<number | bigint, number>(after.get(`${name}.w`)!.data, (w) =>
        tauOfLogit(Number(w)),
      );
      const mean = taus.reduce((sum, tau) => sum + tau, 0) / taus.length;
      expect(progress.at(-1)?.tau[layer]).toBeCloseTo(mean, 10);
    }
  });

  it('visits every clip once before it begins again, without a last partial batch', async () => {
    const { steps } = await train({ steps: 4 });
    const known = task.training.map(({ frames }) => String(frames));
    const visits = steps.map(([frames]) =>
      [0, 1, 2].map((clip) => known.indexOf(String(frames.subarray(clip * 640, (clip + 1) * 640)))),
    );
    expect(visits.flat().every((clip) => clip >= 0)).toBe(true);
    expect(new Set(visits.slice(0, 2).flat()).size).toBe(6);
    expect(new Set(visits.slice(2).flat()).size).toBe(6);
    expect(visits.slice(2)).not.toEqual(visits.slice(0, 2));
    const labels = steps.map(([, , , labels]) => [...labels]);
    expect(labels).toEqual(visits.map((batch) => batch.map((clip) => task.training[clip]!.label)));
  });

  it('draws other batches and masks when it goes on, and the same ones when it is repeated', async () => {
    const [first, again, later] = [await train(), await train(), await train({ stepsBefore: 12 })].map(
      ({ steps }) => steps,
    );
    expect(batchesOf(again!)).toEqual(batchesOf(first!));
    expect(again!.map(([, , , , masks]) => masks)).toEqual(first!.map(([, , , , masks]) => masks));
    expect(batchesOf(later!)).not.toEqual(batchesOf(first!));
    expect(later![0]![4]).not.toEqual(first![0]![4]);
    expect(first![1]![4]).not.toEqual(first![0]![4]);
    expect(new Set(first![0]![4].flatMap((mask) => [...mask]))).toEqual(new Set([0, 2]));
  });

  it('has the network of each step, so that it can be stopped after any', async () => {
    const { progress } = await train();
    expect(progress[0]?.state).toEqual(state);
    expect(progress[3]?.state).toEqual((await train({ steps: 3 })).state);
  });

  it('uses all clips in each step where there are fewer than a batch has', async () => {
    const { steps } = await train({ steps: 2, training: task.training.slice(0, 2) });
    expect(steps.map(([, samples]) => samples)).toEqual([2, 2]);
  });

  it('trains a network of linear layers, and leaves a fixed τ as it is', async () => {
    const fixed = { ...config, layers: 0, neuron: 'lif', tau: { per: 'layer', mean: 3, std: 0 } } as const;
    const linear = buildNetwork(fixed);
    const before = livelyState(linear);
    const progress: PageTrainingProgress[] = [];
    const settings = { ...task.settings, lambda: 0.1 };
    const few = { ...task, steps: 1, settings };
    const network = { spec: linear, state: before };
    await trainSteps(instanceEngine(engine), network, few, (one) => void progress.push(one));
    expect(progress.map(({ tau }) => tau)).toEqual([
      [3, 3],
      [3, 3],
    ]);
    expect(progress[1]?.state).not.toEqual(before);
  });
});
