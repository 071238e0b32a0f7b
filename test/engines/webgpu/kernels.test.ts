import { describe, expect, test } from 'vitest';
import type { NeuronShape } from '../../../src/engines/webgpu/kernels/current.ts';
import {
  type FeatureShape,
  type FrameShape,
  featureGradient,
  features,
  frameValues,
  lossGradient,
  unpackFrames,
  type VoteShape,
  vote,
} from '../../../src/engines/webgpu/kernels/head.ts';
import { padded } from '../../../src/engines/webgpu/kernels/kernel.ts';
import {
  adamKernel,
  layerGradients,
  tauVariance,
  VARIANCE_PARTS,
} from '../../../src/engines/webgpu/kernels/parameters.ts';
import { reduceParts } from '../../../src/engines/webgpu/kernels/reduce.ts';
import {
  frozenTable,
  normTable,
  statistics,
  statisticsParts,
  updateRunning,
} from '../../../src/engines/webgpu/kernels/statistics.ts';
import '../../support/all-close.ts';
import { randomArray, randomNumbers } from '../../support/random.ts';
import {
  bySample,
  each,
  rows,
  runKernel,
  SAMPLES,
  sum,
  sumOfParts,
  toBits,
  unwritten,
  whole,
} from './run-kernel.ts';
import { hasDevice } from './support.ts';

const [channels, height, width, steps] = [33, 5, 7, 3];
const pixels = height * width;
const cp = padded(channels);
const columnOf = (values: ArrayLike<number>, channel: number): number[] =>
  Array.from({ length: values.length / cp }, (_, row) => values[row * cp + channel]!);

describe.skipIf(!hasDevice)('batch norm', () => {
  const shape: NeuronShape = {
    ...{ channels, height, width, steps, currentSteps: steps },
    ...{ norm: true, statistics: 'by step', current: { kind: 'stored' } },
  };
  const epsilon = 1e-3;
  const norm = rows(2, channels, 2);

  test('has mean and variance of each step, also where the mean is a thousand deviations', async () => {
    const y = rows(SAMPLES * steps * pixels, channels, 1, (u) => (u < 0.5 ? 300 + u : 300 - u));
    const { parts } = await runKernel(statistics(shape), {
      y: bySample(y),
      parts: whole(unwritten(4 * steps * statisticsParts(shape) * cp)),
    });
    const { table, observed } = await runKernel(normTable(shape, epsilon), {
      parts: whole(parts),
      norm: whole(norm),
      table: whole(unwritten(4 * steps * cp)),
      observed: whole(unwritten(2 * steps * cp)),
    });
    const rowsOf = SAMPLES * pixels;
    for (let place = 0; place < steps * cp; place++) {
      const [step, channel] = [Math.floor(place / cp), place % cp];
      const valueAt = (row: number) =>
        y[((Math.floor(row / pixels) * steps + step) * pixels + (row % pixels)) * cp + channel]!;
      const mean = sum(rowsOf, valueAt) / rowsOf;
      const squares = sum(rowsOf, (row) => (valueAt(row) - mean) ** 2);
      const [foundMean, scale, ...affine] = table.subarray(4 * place, 4 * place + 4);
      expect(foundMean).toBeCloseTo(mean, 4);
      expect([scale]).toBeAllclose([1 / Math.sqrt(squares / rowsOf + epsilon)], { relative: 3e-5 });
      expect(affine).toEqual([norm[channel], norm[cp + channel]]);
      expect(observed[2 * place]).toBe(foundMean);
      expect([observed[2 * place + 1]!]).toBeAllclose([squares / (rowsOf - 1)], { relative: 3e-5 });
    }
  });

  test('has the statistics of a first layer that is computed on the way', async () => {
    const [inChannels, kernel] = [2, 3];
    const current = { kind: 'first layer', inChannels, kernel, frameHeight: 7, frameWidth: 9 } as const;
    const one = { ...shape, current };
    const random = randomNumbers(3);
    const frames = Float32Array.from({ length: SAMPLES * steps * 7 * 9 * inChannels }, () =>
      Math.floor(3 * random()),
    );
    const weight = rows(inChannels * kernel ** 2, channels, 4);
    const { parts } = await runKernel(statistics(one), {
      ...{ frames: bySample(frames), weight: whole(weight) },
      parts: whole(unwritten(4 * steps * statisticsParts(one) * cp)),
    });
    // Sums of the parts' sums: count · mean.
    const perPart = each(parts.length / 4, (i) => parts[4 * i]! * parts[4 * i + 1]!);
    const partCount = statisticsParts(one);
    const sums = each(steps * cp, (place) => {
      const [step, channel] = [Math.floor(place / cp), place % cp];
      return sum(partCount, (part) => perPart[(step * partCount + part) * cp + channel]!);
    });
    const wanted = each(steps * cp, (place) => {
      const [step, channel] = [Math.floor(place / cp), place % cp];
      return sum(SAMPLES * pixels, (row) =>
        sum(inChannels * kernel ** 2, (k) => {
          const [plane, tap] = [Math.floor(k / kernel ** 2), k % kernel ** 2];
          const y = Math.floor((row % pixels) / width) + Math.floor(tap / kernel);
          const x = (row % width) + (tap % kernel);
          const image = Math.floor(row / pixels) * steps + step;
          return frames[((image * 7 + y) * 9 + x) * inChannels + plane]! * weight[k * cp + channel]!;
        }),
      );
    });
    expect(sums).toBeAllclose(wanted);
  });

  test('moves running statistics step after step, and takes them in evaluation', async () => {
    const observed = rows(2 * steps, channels, 5, (u) => u + 0.5);
    const before = rows(2, channels, 6, (u) => u + 0.5);
    const { running } = await runKernel(updateRunning(channels, steps, 0.1), {
      ...{ observed: whole(observed), running: whole(before) },
    });
    const moved = (value: number, at: number): number =>
      sum(
        steps,
        (step) =>
          observed[2 * (step * cp + (at % cp)) + Math.floor(at / cp)]! * 0.1 * 0.9 ** (steps - 1 - step),
      ) +
      value * 0.9 ** steps;
    expect(running).toBeAllclose(each(2 * cp, (at) => moved(before[at]!, at)));
    const { table } = await runKernel(frozenTable(channels, epsilon), {
      ...{ running: whole(running), norm: whole(norm), table: whole(unwritten(4 * cp)) },
    });
    expect(table).toBeAllclose(
      each(4 * cp, (i) => {
        const channel = Math.floor(i / 4);
        const scale = 1 / Math.sqrt(running[cp + channel]! + epsilon);
        return [running[channel]!, scale, norm[channel]!, norm[cp + channel]!][i % 4]!;
      }),
    );
  });
});

describe.skipIf(!hasDevice)('frames', () => {
  test.each([
    ['uint8', 1, 33, Uint8Array],
    ['uint16', 1, 64, Uint16Array],
    ['float32', 0, 64, Float32Array],
  ] as const)(
    'of %s are laid out with channels innermost, with a border of %i',
    async (type, border, outChannels, Type) => {
      const shape: FrameShape = { steps, channels, height, width, border, outChannels, type };
      const count = steps * channels * pixels;
      const values = Type.from(randomArray(SAMPLES * count, randomNumbers(7), (u) => 250 * u));
      const words = Math.ceil((count * Type.BYTES_PER_ELEMENT) / 4);
      // Samples follow each other without gaps, those of the second slice in a buffer of its own.
      const bytes = new Uint8Array(SAMPLES * words * 4);
      bytes.set(new Uint8Array(values.buffer, 0, 2 * count * Type.BYTES_PER_ELEMENT));
      bytes.set(new Uint8Array(values.buffer, 2 * count * Type.BYTES_PER_ELEMENT), 2 * words * 4);
      const { frames } = await runKernel(unpackFrames(shape), {
        given: bySample(new Uint32Array(bytes.buffer)),
        frames: bySample(unwritten(SAMPLES * frameValues(shape))),
      });
      const [outHeight, outWidth] = [height + 2 * border, width + 2 * border];
      const wanted = each(frames.length, (i) => {
        const [channel, column, row] = [
          i % outChannels,
          (Math.floor(i / outChannels) % outWidth) - border,
          (Math.floor(i / outChannels / outWidth) % outHeight) - border,
        ];
        const image = Math.floor(i / outChannels / outWidth / outHeight);
        if (channel >= channels || row < 0 || row >= height || column < 0 || column >= width) return 0;
        const at = (((image % steps) * channels + channel) * height + row) * width + column;
        return values[Math.floor(image / steps) * count + at]!;
      });
      expect([...frames]).toEqual([...wanted]);
    },
  );
});

describe.skipIf(!hasDevice).each(['bits', 'dense'] as const)('features of %s', (input) => {
  const masked = input === 'bits';
  const shape: FeatureShape = { steps, channels, pixels, input, masked };
  const fp = padded(channels * pixels);
  const mask = randomArray(SAMPLES * channels * pixels, randomNumbers(8), (u) => (u < 0.5 ? 0 : 2));
  const maskOf = (image: number, feature: number) =>
    masked ? mask[Math.floor(image / steps) * channels * pixels + feature]! : 1;

  test('are in the order of PyTorch, times the mask', async () => {
    const values = rows(SAMPLES * steps * pixels, channels, 9, masked ? (u) => (u < 0.4 ? 1 : 0) : undefined);
    const { features: found } = await runKernel(features(shape), {
      source: bySample(masked ? toBits(values) : values),
      mask: bySample(mask),
      features: bySample(unwritten(SAMPLES * steps * fp)),
    });
    const wanted = each(found.length, (i) => {
      const [image, feature] = [Math.floor(i / fp), i % fp];
      const [channel, pixel] = [Math.floor(feature / pixels), feature % pixels];
      return channel < channels
        ? values[(image * pixels + pixel) * cp + channel]! * maskOf(image, feature)
        : 0;
    });
    expect([...found]).toEqual([...wanted]);
  });

  test('give their gradient back', async () => {
    const gradient = rows(SAMPLES * steps, channels * pixels, 10);
    const { result } = await runKernel(featureGradient(shape), {
      features: bySample(gradient),
      mask: bySample(mask),
      result: bySample(unwritten(SAMPLES * steps * pixels * cp)),
    });
    const wanted = each(result.length, (i) => {
      const [channel, pixel, image] = [i % cp, Math.floor(i / cp) % pixels, Math.floor(i / cp / pixels)];
      const feature = channel * pixels + pixel;
      return channel < channels ? gradient[image * fp + feature]! * maskOf(image, feature) : 0;
    });
    expect([...result]).toEqual([...wanted]);
  });
});

describe.skipIf(!hasDevice).each(['rate', 'step'] as const)('votes, and the error of each %s', (loss) => {
  const [classes, group] = [11, 3];
  const shape: VoteShape = { steps, classes, group, loss };
  const labels = Uint32Array.of(4, 10, 0);

  test.runIf(loss === 'rate')('are shares of spikes, and their means', async () => {
    const spikes = rows(SAMPLES * steps, channels, 12, (u) => (u < 0.4 ? 1 : 0));
    const found = await runKernel(vote(shape), {
      spikes: bySample(toBits(spikes)),
      outputs: bySample(unwritten(SAMPLES * steps * classes)),
      rates: bySample(unwritten(SAMPLES * classes)),
    });
    const outputs = each(SAMPLES * steps * classes, (i) => {
      const [image, label] = [Math.floor(i / classes), i % classes];
      return sum(group, (k) => spikes[image * cp + label * group + k]!) / group;
    });
    expect(found.outputs).toBeAllclose(outputs, { relative: 1e-7 });
    const rates = each(SAMPLES * classes, (i) => {
      const [sample, label] = [Math.floor(i / classes), i % classes];
      return sum(steps, (step) => outputs[(sample * steps + step) * classes + label]!) / steps;
    });
    expect(found.rates).toBeAllclose(rates, { relative: 1e-7 });
  });

  test('have a gradient by each spike', async () => {
    const perSample = loss === 'rate' ? classes : steps * classes;
    const scores = randomArray(SAMPLES * perSample, randomNumbers(13), (u) => u);
    const { result } = await runKernel(lossGradient(shape), {
      ...{ scores: bySample(scores), labels: bySample(labels) },
      result: bySample(unwritten(SAMPLES * steps * cp)),
    });
    const wanted = each(result.length, (i) => {
      const [neuron, image] = [i % cp, Math.floor(i / cp)];
      const [label, sample] = [Math.floor(neuron / group), Math.floor(image / steps)];
      if (neuron >= channels) return 0;
      const score = scores[(loss === 'rate' ? sample : image) * classes + label]!;
      // Of Σ (score − target)² / (samples · classes [· steps]), by a spike: a 1 / (group [· steps]) of the score.
      return (2 * (score - (labels[sample] === label ? 1 : 0))) / (SAMPLES * classes * steps * group);
    });
    expect(result).toBeAllclose(wanted, { relative: 1e-6 });
  });
});

describe.skipIf(!hasDevice)('parameters', () => {
  test('of a layer have the sums over steps and channels as gradients', async () => {
    const sums = rows(2 * steps + 2, channels, 14);
    const kernel = layerGradients(channels, 2 * steps + 2, { norm: true, logitPer: 'layer', alphaAt: 1 });
    const { norm, neuron } = await runKernel(kernel, {
      ...{ sums: whole(sums), norm: whole(unwritten(2 * cp)), neuron: whole(unwritten(2)) },
    });
    const columns = Array.from({ length: cp }, (_, channel) => columnOf(sums, channel));
    const ofRows = (first: number) =>
      columns.map((column) => sum(steps, (step) => column[2 * step + first]!));
    expect(norm).toBeAllclose([...ofRows(1), ...ofRows(0)]);
    const overChannels = (row: number) => sum(cp, (channel) => sums[row * cp + channel]!);
    expect(neuron).toBeAllclose([overChannels(2 * steps + 1), overChannels(2 * steps)]);
  });

  test.each([13, 3])('are added up from %i parts', async (count) => {
    const parts = rows(count, channels, 15);
    const { sums } = await runKernel(reduceParts(count, cp), {
      ...{ parts: whole(parts), sums: whole(unwritten(cp)) },
    });
    expect(sums).toBeAllclose(sumOfParts(parts, cp));
  });

  test.each(['w', 'tau'] as const)('are held together by the variance of %s', async (of) => {
    const logits = rows(pixels, channels, 16, (u) => 0.3 * u + 2);
    const before = rows(pixels, channels, 17);
    // So large that single precision keeps what is added.
    const lambda = 1e5;
    const kernels = tauVariance({ channels, rows: pixels, lambda, of });
    const { parts } = await runKernel(kernels.sums, {
      ...{ neuron: whole(logits), parts: whole(unwritten(4 * VARIANCE_PARTS)) },
    });
    const { moments } = await runKernel(kernels.variance, {
      ...{ parts: whole(parts), moments: whole(unwritten(2)) },
    });
    const count = pixels * channels;
    const values = [...logits].flatMap((w, i) =>
      i % cp < channels ? [of === 'w' ? w : 1 + Math.exp(-w)] : [],
    );
    const mean = sum(count, (i) => values[i]!) / count;
    const variance = sum(count, (i) => (values[i]! - mean) ** 2) / (count - 1);
    expect([moments[1]!]).toBeAllclose([variance]);
    const { gradient } = await runKernel(kernels.gradient, {
      ...{ neuron: whole(logits), moments: whole(moments), gradient: whole(before) },
    });
    const wanted = each(pixels * cp, (i) => {
      if (i % cp >= channels) return 0;
      const [value, slope] =
        of === 'w' ? [logits[i]!, 1] : [1 + Math.exp(-logits[i]!), -Math.exp(-logits[i]!)];
      return before[i]! + ((2 * lambda) / (count - 1)) * (value - mean) * slope;
    });
    expect([...gradient].map((value, i) => value - before[i]!)).toBeAllclose(
      [...wanted].map((value, i) => value - before[i]!),
      { relative: 2e-5 },
    );
  });

  test('make a step of Adam', async () => {
    const [values, gradients, first, second] = [1, 2, 3, 4].map((i) =>
      rows(9, channels, 20 + i, (u) => (i === 4 ? u : 2 * u - 1)),
    );
    const size = values!.length;
    const [learningRate, t] = [0.01, 3];
    const found = await runKernel(
      adamKernel(size),
      {
        ...{
          values: whole(values!),
          gradients: whole(gradients!),
          first: whole(first!),
          second: whole(second!),
        },
      },
      { stepSize: learningRate / (1 - 0.9 ** t), correction: Math.sqrt(1 - 0.999 ** t) },
    );
    const m = each(size, (i) => 0.9 * first![i]! + 0.1 * gradients![i]!);
    const v = each(size, (i) => 0.999 * second![i]! + 0.001 * gradients![i]! ** 2);
    expect(found.first).toBeAllclose(m);
    expect(found.second).toBeAllclose(v);
    const moved = each(size, (i) => {
      const [mean, variance] = [m[i]! / (1 - 0.9 ** t), v[i]! / (1 - 0.999 ** t)];
      return -learningRate * (mean / (Math.sqrt(variance) + 1e-8));
    });
    expect(found.values).toBeAllclose(
      each(size, (i) => values![i]! + moved[i]!),
      { relative: 1e-6 },
    );
    expect([...found.gradients]).toEqual([...gradients!]);
  });
});
