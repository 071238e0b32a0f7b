import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compile, instantiate, type WasmInstance, type WasmNetwork } from 'plif-native/wasm';
import { describe, expect, it } from 'vitest';
import { instanceEngine } from '../../../src/network/engines/native/addon-engine.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import {
  type LabelledFrames,
  type PageTrainingProgress,
  type PageTrainingTask,
  trainFurther,
} from '../../../src/report/explorable/training.ts';
import { livelyState, randomBatch } from '../../native/support.ts';
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
  epochs: 2,
  epochsBefore: 0,
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

async function train(over: Partial<PageTrainingTask> = {}, network = trained) {
  const steps: Step[] = [];
  const progress: PageTrainingProgress[] = [];
  const on = instanceEngine(recording(steps));
  await trainFurther(on, network, { ...task, ...over }, (one) => void progress.push(one));
  return { steps, progress };
}

describe('training in the page', () => {
  it('takes whole batches of the clips, with the settings of the run at a constant learning rate', async () => {
    const { steps, progress } = await train();
    // Of seven clips, two batches of three in each epoch.
    expect(steps.map(([, samples]) => samples)).toEqual([3, 3, 3, 3]);
    const known = task.training.map(({ frames }) => String(frames));
    const size = known.length && task.training[0]!.frames.length;
    const visits = steps.map(([frames]) =>
      [0, 1, 2].map((clip) => known.indexOf(String(frames.subarray(clip * size, (clip + 1) * size)))),
    );
    expect(visits.flat().every((clip) => clip >= 0)).toBe(true);
    const labels = steps.map(([, , , labels]) => [...labels]);
    expect(labels).toEqual(visits.map((batch) => batch.map((clip) => task.training[clip]!.label)));
    expect(progress.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
    expect(progress[0]).toMatchObject({ loss: null, state });
    const { learningRate, tauRate, regularise, loss, lambda } = task.settings;
    const settings = { learningRate, tauRate, regularise, loss, regulariseTau: lambda };
    const session = await instanceEngine(engine).open(spec, state);
    const losses: number[] = [];
    for (const [frames, samples, T, labels, dropoutMasks] of steps) {
      const data = Uint8Array.from(frames);
      const batch = { frames: { shape: [samples, T, ...spec.input] as const, data }, labels, dropoutMasks };
      losses.push((await session.trainStep(batch, settings)).loss);
    }
    expect(progress[2]?.state).toEqual(await session.state());
    expect(progress[2]?.loss).toBeCloseTo((losses[2]! + losses[3]!) / 2, 12);
    session.dispose();
  });

  it('draws other batches and masks when it goes on, and the same ones when it is repeated', async () => {
    const [first, again, later] = await Promise.all([train(), train(), train({ epochsBefore: 2 })]);
    const drawn = ({ steps }: typeof first) => steps.map(([frames, , , , masks]) => [String(frames), masks]);
    expect(drawn(again)).toEqual(drawn(first));
    expect(drawn(later)).not.toEqual(drawn(first));
    expect(later.progress.map(({ epoch }) => epoch)).toEqual([2, 3, 4]);
  });

  it('uses all clips in each step where there are fewer than a batch has', async () => {
    const { steps } = await train({ training: task.training.slice(0, 2) });
    expect(steps.map(([, samples]) => samples)).toEqual([2, 2]);
  });

  it('trains a network of linear layers, and leaves a fixed τ as it is', async () => {
    const fixed = { ...config, layers: 0, neuron: 'lif', tau: { per: 'layer', mean: 3, std: 0 } } as const;
    const linear = buildNetwork(fixed);
    const before = livelyState(linear);
    const settings = { ...task.settings, lambda: 0.1 };
    const { progress } = await train({ epochs: 1, settings }, { spec: linear, state: before });
    for (const { tau } of progress) expect(tau).toEqual([expect.closeTo(3, 12), expect.closeTo(3, 12)]);
    expect(progress[1]?.state).not.toEqual(before);
  });
});
