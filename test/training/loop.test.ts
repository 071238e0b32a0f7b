import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import type { State } from '../../src/formats/tensor.ts';
import type { Engine } from '../../src/network/engines/engine.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import { trainNetwork } from '../../src/training/loop.ts';
import { drawEpochOrders } from '../../src/training/schedule.ts';
import type { TrainingProgress } from '../../src/training/task.ts';
import { smallNetwork, smallTask } from './small-task.ts';

const index = JSON.parse(readFileSync(new URL('../golden/index.json', import.meta.url), 'utf8'));
const goldenRates: number[] = index.cosine_lr_T_max_64;

const settings = smallTask().settings;

describe('trainNetwork', () => {
  it('says which settings drew a τ that no neuron can have', async () => {
    const spec = buildNetwork({ ...smallNetwork, tau: { per: 'neuron', mean: 2, std: 5 } });
    await expect(trainNetwork({ ...smallTask(), spec })).rejects.toMatchObject({
      code: 'model-invalid',
      message: expect.stringMatching(
        /^conv\.2: drew τ = 0\.\d+ for w of shape \[1, 2, 4, 4\] with mean 2 and standard deviation 5/,
      ),
      fix: 'Lower `train.network.tau.std`, or raise `train.network.tau.mean`.',
    });
  });

  it('takes the learning rate of each epoch from the cosine', async () => {
    const rates: number[] = [];
    const task = smallTask({ onStep: (_, __, { learningRate }) => rates.push(learningRate) });
    await trainNetwork(task);
    expect(rates).toHaveLength(16);
    rates.forEach((rate, step) => {
      expect(rate).toBeCloseTo(goldenRates[Math.floor(step / 4)]!, 12);
    });
  });

  it('draws the initial weights after the numbers that a split of still images takes', async () => {
    const states: State[] = [];
    const open = async (engine: Engine, drawsBefore: number) => {
      const watched: Engine = {
        ...engine,
        open: (spec, state, ...rest) => {
          states.push(state);
          return engine.open(spec, state, ...rest);
        },
      };
      await trainNetwork({ ...smallTask(), engine: watched, drawsBefore });
    };
    await open(smallTask().engine, 12);
    const random = new TorchRandom(2020);
    random.skip(12);
    expect(states).toEqual([initialState(smallTask().spec, random)]);
  });

  it('visits the clips in the order that torch draws after the initial weights, without the last partial batch', async () => {
    const labels: number[][] = [];
    const task = smallTask({ onStep: (_, batch) => labels.push([...batch.labels]) });
    await trainNetwork({ ...task, settings: { ...settings, epochs: 2 } });
    const random = new TorchRandom(2020);
    initialState(task.spec, random);
    const expected = [1, 2].flatMap(() => {
      const order = drawEpochOrders(random, { train: 24, validation: 6 }).train.subarray(0, 20);
      return [...order].map((place) => task.train.labels[task.split.train[place]!]);
    });
    expect(labels.flat()).toEqual(expected);
  });

  it('draws new dropout masks for every batch, the same ones in every run', async () => {
    const run = async () => {
      const masks: string[] = [];
      await trainNetwork(smallTask({ onStep: (_, batch) => masks.push(batch.dropoutMasks.join(';')) }));
      return masks;
    };
    const masks = await run();
    expect(new Set(masks).size).toBe(16);
    expect(await run()).toEqual(masks);
  });

  it('gives one row per epoch, with means over the batches', async () => {
    const { rows } = await trainNetwork(
      smallTask({ loss: (step) => step, spikeRates: (step) => [step / 16, 0.5, 0] }),
    );
    const spikeRates = rows.map(({ layers }) => layers.map(({ spikeRate }) => spikeRate));
    expect(spikeRates.map(([first]) => first! * 16)).toEqual([2.5, 6.5, 10.5, 14.5]);
    expect(spikeRates[3]!.slice(1)).toEqual([0.5, 0]);
    expect(rows.map((row) => row.train.loss)).toEqual([2.5, 6.5, 10.5, 14.5]);
    expect(rows.map((row) => row.epoch)).toEqual([0, 1, 2, 3]);
    expect(rows[0]?.layers).toHaveLength(3);
  });

  it('counts its batches over all epochs, and logs every 256th individually', async () => {
    // 24 batches of one clip per epoch: steps 0 (epoch 0), 256 (epoch 10, its 17th batch) and 512 (epoch 21, its 9th).
    const { rows } = await trainNetwork(
      smallTask({ loss: (step) => step }, { settings: { ...settings, batchSize: 1, epochs: 22 } }),
    );
    expect(rows.map((row) => row.batches)).toEqual(rows.map((_, epoch) => 24 * (epoch + 1)));
    const logged = rows.flatMap(({ epoch, logged }) => logged.map((batch) => ({ epoch, ...batch })));
    expect(logged.map(({ epoch, step, loss }) => [epoch, step, loss])).toEqual([
      [0, 0, 1], // the loss of the fake engine is the number of steps with this one
      [10, 256, 257],
      [21, 512, 513],
    ]);
    expect(logged.every(({ accuracy }) => accuracy === 0 || accuracy === 1)).toBe(true);
  });

  it('tests every so many epochs, and after the last', async () => {
    const { rows } = await trainNetwork(smallTask({}, { settings: { ...settings, testEvery: 3 } }));
    expect(rows.map((row) => row.test !== null)).toEqual([false, false, true, true]);
  });

  it('stops with epoch and batch if the loss is NaN', async () => {
    const training = trainNetwork(smallTask({ loss: (step) => (step === 7 ? Number.NaN : undefined) }));
    await expect(training).rejects.toThrow('The loss is NaN in epoch 2, batch 3');
    await expect(training).rejects.toMatchObject({
      code: 'training-diverged',
      fix: expect.stringContaining('λ = 0.1'),
    });
  });

  it('stops after an epoch that made a parameter NaN, even if the loss is finite', async () => {
    // An infinite λ gives the fake engine NaN gradients; the loss of a silent network is still finite.
    const task = smallTask({ loss: () => 0.1 }, { settings: { ...settings, regulariseTau: Infinity } });
    await expect(trainNetwork(task)).rejects.toMatchObject({
      code: 'training-diverged',
      message: expect.stringContaining('"conv.0.weight" has NaN or infinite values after epoch 1'),
    });
  });

  it('rejects a batch larger than the training clips', async () => {
    const training = trainNetwork(smallTask({}, { settings: { ...settings, batchSize: 25 } }));
    await expect(training).rejects.toBeInstanceOf(ReproError);
    await expect(training).rejects.toThrow('The batch size is 25, but there are only 24 training clips.');
  });

  it('reports progress up to its total, with a short description', async () => {
    const notes: string[] = [];
    const counts: [number, number][] = [];
    const progress = ({ done, total, note }: TrainingProgress) => {
      notes.push(note);
      counts.push([done, total]);
    };
    await trainNetwork(smallTask({}, { progress }));
    expect(counts.at(0)).toEqual([0, 32]); // 4 epochs of 4 training, 2 test and 2 validation batches
    expect(counts.at(-1)).toEqual([32, 32]);
    expect(notes.at(-1)).toMatch(/^epoch 4\/4 · loss \d\.\d{3} · val \d+ %$/);
  });

  it('logs a line for each epoch', async () => {
    const lines: string[] = [];
    const { rows } = await trainNetwork(
      smallTask({}, { settings: { ...settings, testEvery: 4 }, log: (line) => lines.push(line) }),
    );
    const figures = 'loss \\d\\.\\d{4}, \\d+\\.\\d %';
    expect(lines).toHaveLength(rows.length);
    expect(lines[0]).toMatch(
      new RegExp(`^epoch 1/4 · train ${figures} · validation ${figures} · not tested$`),
    );
    expect(lines[3]).toMatch(
      new RegExp(`^epoch 4/4 · train ${figures} · validation ${figures} · test ${figures}$`),
    );
  });
});

it('reads training clips for their batch, and tested and validated ones as they are', async () => {
  const read: string[] = [];
  const { train, test, ...task } = smallTask({}, { settings: { ...settings, epochs: 2 } });
  const watched = ({ source, labels }: typeof train, name: string): typeof train => ({
    labels,
    source: {
      ...source,
      read: (rows, batch) => {
        read.push(`${name} ${batch === undefined ? 'as it is' : Object.values(batch).join(' ')}`);
        return source.read(rows);
      },
    },
  });
  await trainNetwork({ ...task, train: watched(train, 'train'), test: watched(test, 'test') });
  const epoch = (number: number) => [
    ...[0, 1, 2, 3].map((batch) => `train 2020 ${number} ${batch}`),
    'test as it is',
    'test as it is',
    // The clips held back are training clips.
    'train as it is',
    'train as it is',
  ];
  expect(read).toEqual([...epoch(0), ...epoch(1)]);
});
