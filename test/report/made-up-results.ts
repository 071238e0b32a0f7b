import { copyFile, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import type { State } from '../../src/formats/tensor.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork, type NetworkConfig } from '../../src/network/networks.ts';
import type { NetworkSpec } from '../../src/network/spec.ts';
import type { Sources } from '../../src/report/collect.ts';
import { formatSplit } from '../../src/results/run-file.ts';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { DATASETS } from '../support/datasets.ts';
import { classesOf, frameFormat, write, writeFrames } from './made-up-frames.ts';

/** The shape of a made-up run, whose numbers are invented but plausible. */
export interface MadeUp {
  readonly dataset: 'dvs128-gesture' | 'nmnist' | 'spoken-digits';
  readonly simulated: boolean;
  readonly models: readonly string[];
  readonly seeds: readonly number[];
  readonly epochs: number;
  readonly clips: { readonly train: number; readonly validation: number; readonly test: number };
  /** The accuracy that training converges to. */
  readonly ceiling: number;
  /** Spiking layers, of which two are linear. */
  readonly layers: number;
  /** Of each convolution. */
  readonly channels: number;
  /** Of the hidden linear layer. */
  readonly hidden: number;
  /** Frames of a clip. */
  readonly steps: number;
  /** Three folds of six users, who take turns in the list of all clips: each tests a third of them. */
  readonly folds?: true;
}

export const QUICK: MadeUp = {
  dataset: 'dvs128-gesture',
  simulated: true,
  models: ['baseline', 'no-reg', 'lambda-0.01', 'lambda-0.1'],
  seeds: [2020],
  epochs: 12,
  clips: { train: 163, validation: 29, test: 96 },
  ceiling: 0.78,
  layers: 6,
  channels: 8,
  hidden: 16,
  steps: 8,
};

const MODELS: Readonly<
  Record<string, { title: string; test: number; validation: number; per: 'layer' | 'neuron'; lambda: number }>
> = {
  baseline: { title: 'Baseline', test: 0.955, validation: 1, per: 'layer', lambda: 0 },
  'no-reg': { title: 'No Reg.', test: 0.951, validation: 0.992, per: 'neuron', lambda: 0 },
  'lambda-0.01': { title: 'λ = .01', test: 0.958, validation: 0.992, per: 'neuron', lambda: 0.01 },
  'lambda-0.1': { title: 'λ = .1', test: 0.962, validation: 1, per: 'neuron', lambda: 0.1 },
};

/** Writes the outputs of the stages before the report to `folder`. The same arguments give the same files. */
export async function writeMadeUpResults(folder: string, made: MadeUp): Promise<Sources> {
  const sources: Sources = {
    verify: join(folder, 'artifacts/verify'),
    train: join(folder, 'artifacts/train'),
    evaluate: join(folder, 'artifacts/evaluate'),
    models: join(folder, 'configs/models'),
    dataset: join(DATASETS, `${made.dataset}.yaml`),
    examples: join(folder, 'artifacts/frames/examples'),
  };
  await mkdir(sources.models, { recursive: true });
  const project = resolve(import.meta.dirname, '../..');
  await writeJson(join(sources.verify, 'manifest.json'), makeManifest(made));
  await writeFrames(sources.examples, made);
  for (const [index, model] of made.models.entries()) {
    await copyFile(join(project, `configs/models/${model}.yaml`), join(sources.models, `${model}.yaml`));
    for (const seed of made.seeds) {
      const random = randomStream(seed * 31 + index);
      const rows = makeMetrics(made, model, random);
      const files = makeRun(made, model, seed, rows, random);
      const place = join(model, String(seed));
      await writeJson(join(sources.train, place, 'run.json'), files.run);
      await write(join(sources.train, place, 'metrics.csv'), toCsv(rows));
      const weights = makeState(buildNetwork(files.run.network), seed * 31 + index);
      await write(join(sources.train, place, 'best.safetensors'), writeSafetensors(weights));
      await write(join(sources.train, place, 'split.json'), makeSplit(made, seed));
      await writeJson(join(sources.evaluate, place, 'evaluation.json'), files.evaluation);
      await write(
        join(sources.evaluate, place, 'predictions.csv'),
        makePredictions(files.evaluation.confusion, made, seed),
      );
      await write(join(sources.evaluate, place, 'tau.csv'), makeTaus(made, model, rows));
    }
  }
  return sources;
}

type Row = Record<string, number>;

function makeMetrics(made: MadeUp, model: string, random: () => number): Row[] {
  const perNeuron = MODELS[model]?.per === 'neuron';
  const noise = () => (random() - 0.5) * 0.09;
  const speed = 3 / Math.min(made.epochs, 60);
  const quantise = (share: number, clips: number) =>
    Math.round(Math.min(1, Math.max(0, share)) * clips) / clips;
  return Array.from({ length: made.epochs }, (_, epoch) => {
    const share = made.ceiling - (made.ceiling - 0.12) * Math.exp(-speed * epoch);
    const row: Row = {
      epoch,
      learning_rate: 0.0005 * (1 + Math.cos((Math.PI * epoch) / 64)),
      train_loss: 0.083 * (1 - share * 0.95) + 0.004 * random(),
      train_accuracy: quantise(share + 0.12 + noise() * 0.4, made.clips.train),
      validation_loss: 0.083 * (1 - share * 0.85) + 0.008 * random(),
      validation_accuracy: quantise(share + 0.04 + noise(), made.clips.validation),
      test_loss: 0.083 * (1 - share * 0.8) + 0.006 * random(),
      test_accuracy: quantise(share + noise(), made.clips.test),
    };
    for (let layer = 0; layer < made.layers; layer++) {
      const tau =
        2 +
        (1 - Math.exp(-speed * epoch)) *
          (layer - 2.2) *
          (perNeuron ? 0.07 + 2 * (MODELS[model]?.test ?? 0) - 1.86 : 0.21) +
        noise() * 0.1;
      row[`w_mean.${layer}`] = -Math.log(tau - 1);
      row[`w_std.${layer}`] = perNeuron ? 0.1 : 0;
      row[`tau_mean.${layer}`] = tau;
      row[`tau_std.${layer}`] = perNeuron ? 0.1 + 0.05 * (1 - Math.exp(-speed * epoch)) : 0;
      row[`tau_change.${layer}`] = Math.exp(-speed * epoch) * (perNeuron ? 0.004 : 0.01);
      row[`spike_rate.${layer}`] = 0.05 + 0.1 * random();
    }
    return row;
  });
}

function makeRun(made: MadeUp, model: string, seed: number, rows: readonly Row[], random: () => number) {
  const classes = classesOf(made.dataset);
  const best = (column: string) =>
    rows.reduce((found, row) => ((row[column] ?? 0) >= (found[column] ?? 0) ? row : found));
  const chosen = best('validation_accuracy');
  const maximum = {
    test: { epoch: best('test_accuracy').epoch, accuracy: best('test_accuracy').test_accuracy },
    validation: { epoch: chosen.epoch, accuracy: chosen.validation_accuracy },
  };
  const correct = Math.round((chosen.test_accuracy ?? 0) * made.clips.test);
  const head = { version: 1, seed, dataset: made.dataset, simulated: made.simulated };
  const { per = 'layer', lambda = 0 } = MODELS[model] ?? {};
  const { height, width } = frameFormat(made);
  return {
    run: {
      ...head,
      model: { id: model, title: MODELS[model]?.title },
      engine: { name: 'tfjs', backend: 'cpu', version: '4.22.0' },
      network: {
        ...network(per),
        ...{
          input: [2, height, width],
          classes: classes.length,
          channels: made.channels,
          layers: made.layers - 2,
        },
        hidden: made.hidden,
        ...(made.dataset === 'spoken-digits' && { dropout: 0 }),
      } satisfies NetworkConfig,
      parameters: 24_310 + (per === 'neuron' ? 5_000 : 6),
      training: {
        epochs: made.epochs,
        batchSize: 16,
        learningRate: 0.001,
        cosineHalfPeriod: 64,
        validationShare: 0.15,
        regulariseTau: lambda,
      },
      frames: frameFormat(made),
      compat: COMPAT_DEFAULTS,
      split: { ...made.clips, ...testUsersOf(made, seed) },
      best: {
        epoch: chosen.epoch,
        validationAccuracy: chosen.validation_accuracy,
        testAccuracy: chosen.test_accuracy,
      },
      maximum,
    },
    evaluation: {
      ...head,
      version: 2,
      model,
      title: MODELS[model]?.title,
      classes,
      ...testUsersOf(made, seed),
      checkpoint: { selection: 'validation', epoch: chosen.epoch },
      test: { clips: made.clips.test, correct, accuracy: correct / made.clips.test, loss: chosen.test_loss },
      validation: {
        clips: made.clips.validation,
        correct: Math.round((chosen.validation_accuracy ?? 0) * made.clips.validation),
        accuracy: chosen.validation_accuracy,
        loss: chosen.validation_loss,
      },
      spikeRates: {
        test: Array.from({ length: made.layers }, (_, layer) => chosen[`spike_rate.${layer}`]),
        validation: Array.from({ length: made.layers }, (_, layer) => chosen[`spike_rate.${layer}`]),
      },
      cost: {
        footprintBytes: per === 'neuron' ? 180_000 : 98_000,
        activationSparsity: 0.9,
        denseOperations: 24_000_000,
        effectiveMacs: 1_200_000,
        effectiveAcs: 2_000_000 + 50_000 * made.models.indexOf(model) + seed,
      },
      maximum,
      confusion: makeConfusion(classes.length, made.clips.test, correct, random),
      correctByStep: Array.from({ length: made.steps }, (_, step) =>
        Math.floor(correct * (0.4 + (0.6 * (step + 1)) / made.steps)),
      ),
      orders: {
        reversed: makeScore(Math.floor(correct * 0.6), made.clips.test),
        shuffled: makeScore(Math.floor(correct * 0.8), made.clips.test),
      },
      tau:
        per === 'layer'
          ? {}
          : Object.fromEntries(
              ['unchanged', 'layer-mean', 'permuted'].map((change, at) => {
                const answered = (right: number) => ({
                  ...makeScore(right, made.clips.test),
                  wrong: Array.from({ length: made.clips.test - right }, (_, clip) => clip),
                });
                return [change, { asTrained: answered(correct - 5 * at), again: answered(correct - 3 * at) }];
              }),
            ),
    },
  };
}

function makeScore(correct: number, clips: number) {
  return { clips, correct, accuracy: correct / clips, loss: 0.05 };
}

/** Clips are spread evenly over the classes, errors mostly next to the diagonal. */
function makeConfusion(classes: number, clips: number, correct: number, random: () => number): number[][] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let clip = 0; clip < clips; clip++) {
    const row = clip % classes;
    // Spreads the correct clips over the classes in an order different from the rows.
    const right = (clip * 7919) % clips < correct;
    const away = random() < 0.7 ? 1 : 1 + Math.floor(random() * (classes - 1));
    confusion[row]![right ? row : (row + away) % classes]! += 1;
  }
  return confusion;
}

/** Of a fold: its users, if there are folds. */
function testUsersOf({ folds }: MadeUp, seed: number): { testUsers?: number[] } {
  return folds ? { testUsers: [0, 1].map((user) => 2 * (seed % 3) + user) } : {};
}

/** One row per clip, as counted in the confusion matrix. */
function makePredictions(confusion: readonly (readonly number[])[], made: MadeUp, seed: number): string {
  const { testUsers } = testUsersOf(made, seed);
  const rows = confusion.flatMap((row, label) =>
    row.flatMap((count, predicted) => Array.from({ length: count }, () => [label, predicted] as const)),
  );
  const lines = rows.map(([label, predicted], at) => {
    const user = testUsers?.[at % 2] ?? 24 + (at % 6);
    const clip = testUsers === undefined ? at : 6 * Math.floor(at / 2) + user;
    return ['test', clip, 'user24_led.aedat', user, 'led', label, predicted].join(',');
  });
  return `split,clip,recording,user,light,class,predicted\n${lines.join('\n')}\n`;
}

/** Time constants around the last epoch's mean, skewed like a log-normal distribution if neurons have their own. */
function makeTaus(made: MadeUp, model: string, rows: readonly Row[]): string {
  const last = rows.at(-1) ?? {};
  const perNeuron = MODELS[model]?.per === 'neuron';
  const quantiles = perNeuron ? Array.from({ length: 101 }, (_, i) => i / 100) : [0.5];
  const lines = ['chosen', 'last'].flatMap((state) =>
    Array.from({ length: made.layers }, (_, layer) =>
      quantiles.map((quantile) => {
        const spread = last[`tau_std.${layer}`] ?? 0;
        // A logistic distribution has a closed form: its quantile at p is ln(p / (1 - p)).
        const p = Math.min(0.995, Math.max(0.005, quantile));
        const tau = (last[`tau_mean.${layer}`] ?? 2) + 0.55 * spread * Math.log(p / (1 - p));
        return [state, layer, perNeuron ? 512 : 1, quantile, Math.max(1.01, tau)].join(',');
      }),
    ).flat(),
  );
  return `state,layer,count,quantile,tau\n${lines.join('\n')}\n`;
}

function makeManifest({ dataset, simulated, clips }: MadeUp) {
  const trainClips = clips.train + clips.validation;
  const gestures = dataset === 'dvs128-gesture';
  const classes = classesOf(dataset);
  const name = (user: number) => `user${String(user + 1).padStart(2, '0')}`;
  const users = Array.from({ length: gestures ? 12 : 0 }, (_, user) => user);
  const files = Array.from({ length: 24 }, (_, index) => ({
    path: `DvsGesture/${name(index >> 1)}_${index % 2 === 0 ? 'led' : 'fluorescent'}.aedat`,
    sizeBytes: 3_100_000 + index * 1_234,
    md5: '0'.repeat(32),
    status: 'ok',
  }));
  const perClass = Math.floor((trainClips + clips.test) / classes.length);
  const lights = (user: number) => (user === 5 ? { led: 24 } : { fluorescent: 12, led: 12 });
  return {
    ...{ version: 1, dataset, simulated, archive: false, files },
    splits: {
      train: { recordings: gestures ? 16 : trainClips, clips: trainClips },
      test: { recordings: gestures ? 8 : clips.test, clips: clips.test },
    },
    perUser: Object.fromEntries(users.map((user) => [name(user), 24])),
    perLight: gestures ? { fluorescent: 144, led: 144 } : {},
    ...(gestures
      ? { perUserLight: Object.fromEntries(users.map((user) => [name(user), lights(user)])) }
      : {}),
    perClass: Object.fromEntries(classes.map((one) => [one, perClass])),
    warnings:
      simulated || !gestures
        ? []
        : ['user22_led_labels.csv:9  class 8 starts before class 7 in the row above ends. (A known fault.)'],
  };
}

/** Holds back every sixth clip or so. */
function makeSplit(made: MadeUp, seed: number): string {
  const { train, validation, test } = made.clips;
  const { testUsers } = testUsersOf(made, seed);
  const all = train + validation;
  const isHeldBack = (row: number) =>
    Math.floor((row * validation) / all) !== Math.floor(((row + 1) * validation) / all);
  const rows = Array.from({ length: testUsers === undefined ? all : all + test }, (_, row) => row).filter(
    (row) => !testUsers?.includes(row % 6),
  );
  return formatSplit({
    rule: 'made up',
    ...(testUsers && { testUsers }),
    train: rows.filter((_, at) => !isHeldBack(at)),
    validation: rows.filter((_, at) => isHeldBack(at)),
  });
}

function network(per: 'layer' | 'neuron') {
  return {
    neuron: 'plif',
    tau: { per, mean: 2, std: per === 'neuron' ? 0.1 : 0 },
    reset: { kind: 'hard', detach: true },
    surrogate: { kind: 'atan', alpha: 2, learnable: false },
    pooling: 'max',
  } as const;
}

/** Weights as at the start, with batch norm that lets neurons fire. */
function makeState(spec: NetworkSpec, seed: number): State {
  const state = initialState(spec, seed);
  for (const layer of spec.layers) {
    if (layer.kind !== 'batch-norm' && layer.kind !== 'linear') continue;
    const weight = state.get(`${layer.name}.weight`);
    if (weight?.dtype !== 'F32') continue;
    for (const [i, value] of weight.data.entries())
      weight.data[i] = layer.kind === 'linear' ? 10 * value : 12;
  }
  return state;
}

/** Numbers from 0 to 1, the same for the same seed: a linear congruential generator, good enough for pictures. */
function randomStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function toCsv(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  return `${[columns.join(','), ...rows.map((row) => columns.map((column) => row[column]).join(','))].join('\n')}\n`;
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await write(file, `${JSON.stringify(value, null, 2)}\n`);
}
