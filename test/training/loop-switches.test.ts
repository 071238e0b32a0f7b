import { describe, expect, it } from 'vitest';
import type { Engine, Frames, Hyperparameters } from '../../src/network/engines/engine.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import { formatMetrics } from '../../src/results/metrics.ts';
import { scalarsOf } from '../../src/results/tensorboard.ts';
import { COMPAT_DEFAULTS, type Compat } from '../../src/results/thesis/compat.ts';
import { trainNetwork } from '../../src/training/loop.ts';
import { drawEpochOrders } from '../../src/training/schedule.ts';
import type { TrainingProgress } from '../../src/training/task.ts';
import { splitClips } from '../../src/training/training-clips.ts';
import type { FakeEngineOptions } from './fake-engine.ts';
import { smallNetwork, smallTask } from './small-task.ts';

const { settings } = smallTask();

/** The small task: 24 clips to train on, 6 held back, 7 to test, batches of 5. */
function task(switches: Partial<Compat>, options: FakeEngineOptions = {}, over = {}) {
  return smallTask(options, { compat: { ...COMPAT_DEFAULTS, ...switches }, ...over });
}

describe('validation: shuffled-drop-last', () => {
  it('validates on the whole batches of the order that torch draws, a new one each epoch', async () => {
    const plain = smallTask();
    const heldBack: string[] = [];
    for (const row of plain.split.validation) {
      heldBack.push((await plain.train.source.read(Int32Array.of(row))).data.join());
    }
    /** The places of an evaluation's clips among those held back; -1 for a test clip. */
    const placesOf = ({ shape, data }: Frames) => {
      const length = data.length / shape[0];
      return Array.from({ length: shape[0] }, (_, i) =>
        heldBack.indexOf(data.subarray(i * length, (i + 1) * length).join()),
      );
    };
    const seen: number[][] = [];
    // All validation clips are right except the first.
    const evaluationRates = (frames: Frames) => {
      const places = placesOf(frames);
      if (places[0] !== -1) seen.push(places);
      return Float32Array.from({ length: places.length * 3 }, (_, i) => {
        const place = places[Math.floor(i / 3)]!;
        const label = plain.train.labels[plain.split.validation[place] ?? 0]! + (place === 0 ? 1 : 0);
        return i % 3 === label % 3 ? 1 : 0;
      });
    };
    const dropping = await trainNetwork(task({ validation: 'shuffled-drop-last' }, { evaluationRates }));
    const random = new TorchRandom(2020);
    initialState(plain.spec, random);
    const orders = [0, 1, 2, 3].map(() => {
      const { validation } = drawEpochOrders(random, { train: 24, validation: 6 });
      return [...validation.subarray(0, 5)];
    });
    expect(seen).toEqual(orders);
    expect(new Set(seen.map(String)).size).toBe(4);
    expect(dropping.rows.map((row) => row.validation!.accuracy)).toEqual(
      orders.map((order) => (order.includes(0) ? 4 / 5 : 1)),
    );
    const all = await trainNetwork(task({}, { evaluationRates }));
    expect(all.rows.map((row) => row.validation!.accuracy)).toEqual(Array(4).fill(5 / 6));
  });

  it('is rejected if the held-back clips do not fill a batch', async () => {
    const larger = { settings: { ...settings, batchSize: 7 } };
    const training = trainNetwork(task({ validation: 'shuffled-drop-last' }, {}, larger));
    await expect(training).rejects.toMatchObject({
      code: 'training-batch-too-large',
      message: expect.stringContaining('The batch size is 7, but there are only 6 validation clips.'),
    });
    await trainNetwork(task({ validation: 'all' }, {}, larger));
  });

  it('counts the batches that it runs', async () => {
    const counts: TrainingProgress[] = [];
    const progress = (one: TrainingProgress) => counts.push(one);
    await trainNetwork(task({ validation: 'shuffled-drop-last' }, {}, { progress }));
    // 4 epochs of 4 training, 2 test and 1 validation batches
    expect(counts.at(-1)).toMatchObject({ done: 28, total: 28 });
    expect(Math.max(...counts.map(({ done }) => done))).toBe(28);
  });
});

describe('selection: best-test', () => {
  /** The number of the 7 test clips that are right in each epoch; of the 6 validation clips, one more is right each epoch. */
  const rightTests = [3, 5, 5, 4];
  const evaluationRates = () => {
    let calls = 0;
    return ({ shape: [clips] }: Frames) => {
      const [epoch, call] = [Math.floor(calls / 4), calls % 4];
      calls += 1;
      const before = call % 2 === 0 ? 0 : 5; // both parts are run in a batch of 5 and the rest
      const right = call < 2 ? rightTests[epoch]! : epoch + 1;
      return Float32Array.from({ length: clips * 3 }, (_, i) => {
        const clip = before + Math.floor(i / 3);
        // Test clips have classes 0 1 2 0 1 2 0, validation clips 0 0 1 1 2 2.
        const label = call < 2 ? clip % 3 : Math.floor(clip / 2);
        return i % 3 === (clip < right ? label : (label + 1) % 3) ? 1 : 0;
      });
    };
  };

  it('keeps the first state of the best test accuracy, which validation would not have', async () => {
    const tested = await trainNetwork(
      task({ selection: 'best-test' }, { evaluationRates: evaluationRates() }),
    );
    expect(tested.rows.map((row) => Math.round(row.test!.accuracy * 7))).toEqual(rightTests);
    expect(tested.best).toMatchObject({ epoch: 1, testAccuracy: 5 / 7, validationAccuracy: 2 / 6 });
    const validated = await trainNetwork(task({}, { evaluationRates: evaluationRates() }));
    expect(validated.best).toMatchObject({ epoch: 3, testAccuracy: 4 / 7, validationAccuracy: 4 / 6 });
    expect(validated.rows).toEqual(tested.rows);
  });

  it('chooses among the epochs that were tested', async () => {
    const every = { settings: { ...settings, testEvery: 3 } };
    const { best, rows } = await trainNetwork(task({ selection: 'best-test' }, {}, every));
    expect(rows.map((row) => row.test === null)).toEqual([true, true, false, false]);
    expect(best.epoch).toBe(rows[3]!.test!.accuracy > rows[2]!.test!.accuracy ? 3 : 2);
  });
});

describe('without clips held back', () => {
  const unheld = {
    settings: { ...settings, validationShare: 0 },
    split: splitClips(smallTask().train.labels, 3, 0),
  };

  it('a training runs over the test clips only, and keeps the last epoch', async () => {
    const evaluated: number[] = [];
    const onEvaluate = ({ shape }: Frames) => evaluated.push(shape[0]);
    const notes: string[] = [];
    const progress: TrainingProgress[] = [];
    const lines: string[] = [];
    const hearing = {
      log: (line: string) => lines.push(line),
      progress: (one: TrainingProgress) => progress.push(one),
    };
    const outcome = await trainNetwork(
      task(
        { selection: 'last' },
        { onEvaluate },
        { ...unheld, ...hearing, note: (text: string) => notes.push(text) },
      ),
    );
    expect(evaluated).toEqual([5, 2, 5, 2, 5, 2, 5, 2]);
    expect(outcome.best).toMatchObject({ epoch: 3, validationAccuracy: null });
    expect(outcome.best.state).toEqual(outcome.last);
    expect(outcome.rows.every(({ validation }) => validation === null)).toBe(true);
    expect(formatMetrics(outcome.rows).split('\n')[1]).toMatch(/^0,0\.001,[\d.]+,[\d.]+,,,[\d.]+,[\d.]+,/);
    expect(scalarsOf(smallTask().spec, outcome.rows[0]!).map(({ tag }) => tag)).not.toContain('val_accuracy');
    // 6 batches to train on and 2 to test, in each of 4 epochs.
    expect(progress.at(-1)).toMatchObject({
      done: 32,
      total: 32,
      note: expect.stringMatching(/ · test \d+ %$/),
    });
    expect(lines[0]).toMatch(/ · no validation · test loss /);
  });

  it('best-test can still choose', async () => {
    const { best, rows } = await trainNetwork(task({ selection: 'best-test' }, {}, unheld));
    expect(best.testAccuracy).toBe(Math.max(...rows.map(({ test }) => test!.accuracy)));
  });

  it('visits the clips in the order of torch’s two loaders, for training and for testing', () => {
    // torch.manual_seed(2020); in each epoch all of DataLoader(range(10), shuffle=True), then all of another that does not shuffle
    const random = new TorchRandom(2020);
    const orders = [1, 2].map(() => [...drawEpochOrders(random, { train: 10, validation: 0 }).train]);
    expect(orders).toEqual([
      [5, 0, 7, 3, 4, 2, 6, 1, 8, 9],
      [9, 6, 2, 3, 8, 4, 1, 7, 0, 5],
    ]);
  });
});

describe('regularise and loss', () => {
  it.each([
    { regularise: 'w', loss: 'step' },
    { regularise: 'tau', loss: 'rate' },
  ] as const)('$regularise and $loss reach the engine with each step', async (switches) => {
    const seen: Hyperparameters[] = [];
    const onStep = (_step: number, _batch: unknown, hyperparameters: Hyperparameters) =>
      seen.push(hyperparameters);
    await trainNetwork(task(switches, { onStep }));
    expect(seen).toHaveLength(16);
    for (const step of seen) expect(step).toMatchObject({ ...switches, regulariseTau: 0.1 });
  });
});

describe('ties', () => {
  it.each([
    ['first', 0],
    ['rounding', 1],
  ] as const)('%s decides in training, validation and test', async (ties, predicted) => {
    // Classes 0 and 1 have seven votes each; in single precision, 0.1 + 0.6 is more than 0.2 + 0.5.
    const { engine } = smallTask();
    const trainedOn: number[] = [];
    const tie = (clips: number) => {
      const repeat = (values: readonly number[]) =>
        Float32Array.from({ length: clips * values.length }, (_, i) => values[i % values.length]!);
      return { rates: repeat([0.35, 0.35, 0]), outputs: repeat([0.2, 0.1, 0, 0.5, 0.6, 0]) };
    };
    const tied: Engine = {
      ...engine,
      open: async (...given) => {
        const session = await engine.open(...given);
        return {
          ...session,
          trainStep: async (batch, ...rest) => {
            trainedOn.push(...batch.labels);
            return { ...(await session.trainStep(batch, ...rest)), ...tie(batch.labels.length) };
          },
          evaluate: async (frames) => ({ ...(await session.evaluate(frames)), ...tie(frames.shape[0]) }),
        };
      },
    };
    const spec = buildNetwork({ ...smallNetwork, votes: 10 });
    const tieTask = task({ ties }, {}, { engine: tied, spec });
    const { rows } = await trainNetwork(tieTask);
    const { split, train, test } = tieTask;
    const share = (labels: readonly number[]) =>
      labels.filter((label) => label === predicted).length / labels.length;
    for (const [epoch, row] of rows.entries()) {
      expect(row.train.accuracy).toBe(share(trainedOn.slice(20 * epoch, 20 * (epoch + 1))));
      expect(row.test?.accuracy).toBe(share([...test.labels]));
      expect(row.validation?.accuracy).toBe(share([...split.validation].map((one) => train.labels[one]!)));
    }
  });
});
