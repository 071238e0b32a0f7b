import * as v from 'valibot';
import { count, positive } from '../../base/files/shape.ts';
import { drawKaimingUniform, drawLogNormal, TorchRandom } from '../../network/torch-random.ts';
import type { Compat } from '../../results/thesis/compat.ts';
import { cosineLearningRate, drawEpochOrders } from '../../training/schedule.ts';
import { predictClasses } from '../../training/scores.ts';
import {
  type Comparison,
  compare,
  compareOne,
  failComparison,
  toValues,
  type Values,
  wholeValues,
} from './compare.ts';
import { defineKind, type GivenCase, remark } from './given-case.ts';
import { roundings } from './tolerances.ts';

/** A kind of draw: how its tensors are named, and how to make one from the numbers in its name. */
interface Draw {
  readonly pattern: RegExp;
  /** Uniform numbers are multiples of 2^-24, which nothing rounds. */
  readonly terms?: number;
  draw(random: TorchRandom, numbers: readonly number[]): Values;
}

const floats = (data: Float32Array, shape: readonly number[] = [data.length]): Values => ({ shape, data });
const whole = (data: Iterable<number | bigint>): Values => wholeValues([...data]);
const product = (numbers: readonly number[]) => numbers.reduce((all, size) => all * size, 1);

/** One draw after another from the same stream, concatenated. */
const drawNormals: Draw['draw'] = (random, counts) =>
  floats(Float32Array.from(counts.flatMap((count) => [...random.normals(count)])));

const draws: readonly Draw[] = [
  {
    pattern: /^rand_\d+$/,
    draw: (random, [count = 0]) => floats(Float32Array.from({ length: count }, () => random.uniform())),
  },
  { pattern: /^randn_\d+(?:_then_\d+)*$/, terms: roundings.normal, draw: drawNormals },
  {
    pattern: /^randperm_\d+$/,
    draw: (random, [count = 0]) => whole(random.permutation(count)),
  },
  {
    pattern: /^randint64_\d+$/,
    draw: (random, [count = 0]) => whole(Array.from({ length: count }, () => random.int64())),
  },
  {
    pattern: /^kaiming_uniform_conv_\d+x\d+x\d+x\d+$/,
    draw: (random, shape) =>
      floats(drawKaimingUniform(random, product(shape), product(shape.slice(1))), shape),
  },
  {
    pattern: /^linear_\d+x\d+$/,
    draw: (random, shape) => floats(drawKaimingUniform(random, product(shape), shape[1] ?? 0), shape),
  },
  {
    // The original draws them in one row, [1, count].
    pattern: /^lognormal_[\d.]+_[\d.]+_\d+$/,
    terms: roundings.normal,
    draw: (random, [mean = 0, std = 0, count = 0]) =>
      floats(drawLogNormal(random, count, mean, std), [1, count]),
  },
];

/** PyTorch's random numbers on the CPU: each tensor's name says how it is drawn, right after `torch.manual_seed(seed)`. */
export const randomKind = defineKind({ seed: count }, function* (given, { seed }) {
  for (const name of given.names()) {
    const draw = draws.find(({ pattern }) => pattern.test(name));
    if (draw === undefined) {
      yield compare(name, [{ name, expected: given.find(name), found: undefined }]);
      continue;
    }
    const found = draw.draw(new TorchRandom(seed), numbersIn(name));
    yield compareOne({ name, expected: given.find(name), found, terms: draw.terms ?? 0, scale: 1 });
  }
});

/** `lognormal_2_0.1_1000` -> 2, 0.1, 1000; `randint64_4` -> 4. */
function numbersIn(name: string): number[] {
  return name
    .split(/[_x]/)
    .filter((part) => /^[\d.]+$/.test(part))
    .map(Number);
}

/** The orders of one part of the data, by epoch. */
interface Part {
  readonly name: 'train' | 'val';
  readonly epochs: readonly (readonly number[])[];
}

/** The orders in which data loaders visit training and validation samples after `torch.manual_seed(seed)`. */
export const dataOrderKind = defineKind(
  {
    seed: count,
    batch: positive,
    drop_last: v.boolean(),
    // Workers only prepare samples; the order does not depend on them.
    num_workers: remark,
  },
  function* (given, { seed, batch, drop_last }) {
    // A partial batch at the end is dropped, but its positions are still part of the permutation.
    const epochs = countEpochs(given);
    const mostDropped = drop_last ? batch - 1 : 0;
    yield comparePart(readPart(given, 'train', epochs), seed, mostDropped);
    yield comparePart(readPart(given, 'val', epochs), seed, mostDropped);
  },
);

function readPart(given: GivenCase, name: Part['name'], count: number): Part {
  const epochs = Array.from({ length: count }, (_, epoch) =>
    Array.from(given.whole(`epoch${epoch}/${name}`, ['any']).data, Number),
  );
  return { name, epochs };
}

/** As the last epoch's name says. */
function countEpochs(given: GivenCase): number {
  const numbers = given.names().flatMap((name) => /^epoch(\d+)\//.exec(name)?.[1] ?? []);
  if (numbers.length === 0) given.fail('tensor "epoch0/train" is missing from the folder');
  return Math.max(...numbers.map(Number)) + 1;
}

/**
 * The case does not have the number of samples, only that of whole batches: one of the few possible numbers must give every
 * epoch's order.
 */
function comparePart(part: Part, seed: number, mostDropped: number): Comparison {
  const first = part.epochs[0] ?? [];
  const fewest = part.epochs.flat().reduce((most, place) => Math.max(most, place + 1), first.length);
  const most = Math.max(fewest, first.length + mostDropped);
  const comparisons = Array.from({ length: most - fewest + 1 }, (_, i) =>
    compareCount(part, seed, fewest + i),
  );
  return comparisons.find(({ passed }) => passed) ?? comparisons[0]!;
}

function compareCount({ name, epochs }: Part, seed: number, count: number): Comparison {
  const random = new TorchRandom(seed);
  return compare(
    `${name} order`,
    epochs.map((expected, epoch) => {
      const orders = drawEpochOrders(random, { train: count, validation: count });
      const order = name === 'train' ? orders.train : orders.validation;
      return {
        name: `epoch${epoch}/${name}`,
        expected: wholeValues(expected),
        found: wholeValues(order.subarray(0, expected.length)),
      };
    }),
  );
}

/** `cosine_lr_T_max_64` in index.json: the learning rate of each epoch, beginning with the initial one. */
export const learningRatesPattern = /^cosine_lr_T_max_(\d+)$/;

/** Compares a list of learning rates, one per epoch, with the cosine schedule that its name describes. */
export function compareLearningRates(name: string, value: unknown): Comparison {
  const what = 'learning rates';
  const period = Number(learningRatesPattern.exec(name)?.[1]);
  if (!(period >= 1)) return failComparison(what, 'T_max must be at least 1');
  if (!Array.isArray(value) || value.length === 0) return failComparison(what, 'expected a list of numbers');
  const expected: unknown[] = value;
  const wrong = expected.findIndex((rate) => typeof rate !== 'number' || !Number.isFinite(rate));
  if (wrong >= 0) {
    return failComparison(what, `[${wrong}]: expected a number, found ${JSON.stringify(expected[wrong])}`);
  }
  const rates = expected.map(Number);
  const found = rates.map((_, epoch) => cosineLearningRate(rates[0] ?? 0, period, epoch));
  const terms = roundings.learningRate;
  return compare(what, [{ name, expected: toValues(rates), found: toValues(found), terms }]);
}

/** The class that each rule for ties takes from given outputs; what engines return, cases of whole networks compare. */
export const tiesKind = defineKind({ votes: count, seed: remark }, function* (given, { votes }) {
  const outputs = given.floats('outputs', ['any', 'any', 'any']);
  const [samples = 0, , classes = 0] = outputs.shape;
  const forward = { outputs: outputs.data, rates: given.floats('rates', [samples, classes]).data };
  const rules: readonly [string, Compat['ties'], boolean][] = [
    ['first', 'first', false],
    ['rounding', 'rounding', false],
    ['rounding_training', 'rounding', true],
  ];
  for (const [name, ties, training] of rules) {
    const found = predictClasses(forward, { classes, votes, loss: 'rate', ties }, training);
    yield compareOne({ name, expected: given.find(name), found: wholeValues(found) });
  }
});
