import { count } from '../files/shape.ts';
import { drawKaimingUniform, drawLogNormal, TorchRandom } from '../snn/torch-random.ts';
import { compare, compareOne, type Values, wholeValues } from './compare.ts';
import { defineKind, type GivenCase } from './given-case.ts';
import type { ToleranceName } from './tolerances.ts';

/** A kind of draw: how its tensors are named, and how to make one from the numbers in its name. */
interface Draw {
  readonly pattern: RegExp;
  /** A name that the pattern matches. */
  readonly example: string;
  readonly tolerance: ToleranceName;
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
    example: 'rand_20',
    tolerance: 'exact',
    draw: (random, [count = 0]) => floats(Float32Array.from({ length: count }, () => random.uniform())),
  },
  // Fewer than 16 normal numbers are drawn one by one, more of them in blocks.
  { pattern: /^randn_(?:\d|1[0-5])$/, example: 'randn_10', tolerance: 'normal', draw: drawNormals },
  {
    pattern: /^randn_(?:1[6-9]|[2-9]\d|\d{3,})$/,
    example: 'randn_100',
    tolerance: 'normal',
    draw: drawNormals,
  },
  {
    pattern: /^randn_\d+(?:_then_\d+)+$/,
    example: 'randn_100_then_7',
    tolerance: 'normal',
    draw: drawNormals,
  },
  {
    pattern: /^randperm_\d+$/,
    example: 'randperm_50',
    tolerance: 'exact',
    draw: (random, [count = 0]) => whole(random.permutation(count)),
  },
  {
    pattern: /^randint64_\d+$/,
    example: 'randint64_4',
    tolerance: 'exact',
    draw: (random, [count = 0]) => whole(Array.from({ length: count }, () => random.int64())),
  },
  {
    pattern: /^kaiming_uniform_conv_\d+x\d+x\d+x\d+$/,
    example: 'kaiming_uniform_conv_8x2x3x3',
    tolerance: 'exact',
    draw: (random, shape) =>
      floats(drawKaimingUniform(random, product(shape), product(shape.slice(1))), shape),
  },
  {
    pattern: /^linear_\d+x\d+$/,
    example: 'linear_10x20',
    tolerance: 'exact',
    draw: (random, shape) => floats(drawKaimingUniform(random, product(shape), shape[1] ?? 0), shape),
  },
  {
    // The original draws them in one row, [1, count].
    pattern: /^lognormal_[\d.]+_[\d.]+_\d+$/,
    example: 'lognormal_2_0.1_1000',
    tolerance: 'normal',
    draw: (random, [mean = 0, std = 0, count = 0]) =>
      floats(drawLogNormal(random, count, mean, std), [1, count]),
  },
];

/** PyTorch's random numbers on the CPU: each tensor's name says how it is drawn, right after `torch.manual_seed(seed)`. */
export const randomKind = defineKind({ seed: count }, function* (given, { seed }) {
  checkComplete(given);
  for (const name of given.names()) {
    const draw = draws.find(({ pattern }) => pattern.test(name));
    if (draw === undefined) {
      yield compare(name, 'exact', [{ name, expected: given.find(name), found: undefined }]);
      continue;
    }
    const found = draw.draw(new TorchRandom(seed), numbersIn(name));
    yield compareOne(draw.tolerance, { name, expected: given.find(name), found });
  }
});

/** A tensor's name is all that says what it holds: one that is missing would go unnoticed unless each way of drawing has one. */
function checkComplete(given: GivenCase): void {
  const names = given.names();
  const missing = draws.filter(({ pattern }) => !names.some((name) => pattern.test(name)));
  if (missing.length === 0) return;
  given.fail(`the folder has no tensors such as ${missing.map(({ example }) => `"${example}"`).join(', ')}`);
}

/** `lognormal_2_0.1_1000` -> 2, 0.1, 1000; `randint64_4` -> 4. */
function numbersIn(name: string): number[] {
  return name
    .split(/[_x]/)
    .filter((part) => /^[\d.]+$/.test(part))
    .map(Number);
}
