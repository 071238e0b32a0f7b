import { describe, expect, test } from 'vitest';
import { hasParameters, type NeuronShape } from '../../../src/engines/webgpu/kernels/current.ts';
import {
  fireKernel,
  type PoolShape,
  pooledPixels,
  poolKernel,
} from '../../../src/engines/webgpu/kernels/fire.ts';
import {
  type BackwardPass,
  backwardParts,
  fireBackward,
  sampleParts,
  sumRows,
} from '../../../src/engines/webgpu/kernels/fire-backward.ts';
import { padded } from '../../../src/engines/webgpu/kernels/kernel.ts';
import type { NeuronSpec } from '../../../src/snn/spec.ts';
import '../../support/all-close.ts';
import { plif } from '../../native/support.ts';
import { randomNumbers } from '../../support/random.ts';
import { backInLoops, fireInLoops, type LayerInput } from './neuron-loops.ts';
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

const map = { channels: 33, height: 5, width: 7, steps: 3, currentSteps: 3 } as const;
const stored: NeuronShape = { ...map, current: { kind: 'stored' }, norm: true, statistics: 'by step' };
const window = { inChannels: 2, kernel: 3, frameHeight: 7, frameWidth: 9 } as const;
const first: NeuronShape = { ...stored, current: { kind: 'first layer', ...window } };
const pixels = map.height * map.width;
const cp = padded(map.channels);

interface Layer {
  readonly shape: NeuronShape;
  readonly neuron: NeuronSpec;
  readonly pool?: Pick<PoolShape, 'mode' | 'size'>;
}

const layers: Readonly<Record<string, Layer>> = {
  'a hard reset, max pooling': { shape: stored, neuron: plif, pool: { mode: 'max', size: 2 } },
  'an attached hard reset to another potential, τ per neuron, a learned sigmoid, average pooling': {
    shape: { ...stored, norm: false },
    neuron: {
      ...plif,
      tau: { per: 'neuron', mean: 2, std: 0.2 },
      reset: { kind: 'hard', potential: -0.3, detach: false },
      surrogate: { kind: 'sigmoid', alpha: 3, learnable: true },
    },
    pool: { mode: 'average', size: 2 },
  },
  'an attached soft reset, a learned triangle, the first layer': {
    shape: first,
    neuron: {
      ...plif,
      reset: { kind: 'soft', detach: false },
      surrogate: { kind: 'triangle', alpha: 0.7, learnable: true },
    },
  },
  'a soft reset, τ per neuron, the first layer without batch norm': {
    shape: { ...first, norm: false },
    neuron: { ...plif, tau: { per: 'neuron', mean: 2, std: 0.2 }, reset: { kind: 'soft', detach: true } },
    pool: { mode: 'max', size: 2 },
  },
  'a fixed τ, another threshold, a still image, max pooling of 3 x 3': {
    shape: { ...stored, currentSteps: 1 },
    neuron: { ...plif, kind: 'lif', tau: { per: 'layer', mean: 3, std: 0 }, threshold: 0.7 },
    pool: { mode: 'max', size: 3 },
  },
};

/** A layer with random contents, its buffers, and the pool that follows it. */
function given({ shape, neuron, pool: window }: Layer) {
  const { current, steps, currentSteps } = shape;
  const random = randomNumbers(5);
  const frameRows =
    current.kind === 'first layer' ? current.frameHeight * current.frameWidth * current.inChannels : 0;
  const frames = Float32Array.from({ length: SAMPLES * steps * frameRows }, () => Math.floor(3 * random()));
  const weight =
    current.kind === 'first layer'
      ? rows(current.inChannels * current.kernel ** 2, map.channels, 6)
      : new Float32Array();
  const y = rows(SAMPLES * currentSteps * pixels, map.channels, 7, (u) => 4 * u - 1);
  const table = rows(currentSteps, map.channels, 8).length;
  const norms = new Float32Array(4 * table);
  for (let i = 0; i < table; i++) {
    if (i % cp < map.channels)
      norms.set([random() - 0.5, 0.5 + random(), 0.5 + random(), random() - 0.2], 4 * i);
  }
  const perNeuron = neuron.tau.per === 'neuron';
  const logits = neuron.kind === 'lif' ? [] : perNeuron ? rows(pixels, map.channels, 9) : [0.2];
  const parameters = Float32Array.from([
    ...logits,
    ...(neuron.surrogate.learnable ? [neuron.surrogate.alpha] : []),
  ]);
  const product =
    current.kind === 'stored'
      ? y
      : each(SAMPLES * steps * pixels * cp, (i) => {
          const [channel, pixel, image] = [i % cp, Math.floor(i / cp) % pixels, Math.floor(i / cp / pixels)];
          const from = image * frameRows;
          return sum(frames.length === 0 ? 0 : current.inChannels * current.kernel ** 2, (k) => {
            const tap = k % current.kernel ** 2;
            const row = Math.floor(pixel / map.width) + Math.floor(tap / current.kernel);
            const column = (pixel % map.width) + (tap % current.kernel);
            const at =
              (row * current.frameWidth + column) * current.inChannels + Math.floor(k / current.kernel ** 2);
            return frames[from + at]! * weight[k * cp + channel]!;
          });
        });
  const poolShape = window && { ...map, steps, ...window };
  const layer: LayerInput = {
    ...{ samples: SAMPLES, shape, neuron, product, parameters, pool: poolShape },
    table: shape.norm ? norms : undefined,
  };
  const buffers = {
    ...(current.kind === 'stored' ? { y: bySample(y) } : { frames: bySample(frames), weight: whole(weight) }),
    ...(shape.norm ? { table: whole(norms) } : {}),
    ...(hasParameters(neuron) ? { neuron: whole(parameters) } : {}),
  };
  return { layer, buffers, frames, poolShape, weightRows: weight.length / cp };
}

describe.skipIf(!hasDevice)('neurons fire as in double precision', () => {
  const slow: Layer = { shape: { ...stored, currentSteps: 1, steps: 35 }, neuron: plif };
  const frozen: Layer = { shape: { ...stored, statistics: 'frozen' }, neuron: plif };
  const all = { ...layers, 'more steps than a word has bits': slow, 'running statistics': frozen };
  test.each(Object.entries(all))('%s', async (_, one) => {
    const { layer, buffers } = given(one);
    const { spikes, potentials, margin } = fireInLoops(layer);
    expect(margin).toBeGreaterThan(2e-6);
    const found = await runKernel(fireKernel(one.shape, one.neuron, { potentials: true }), {
      ...buffers,
      spikes: bySample(new Uint32Array(spikes.length / 32).fill(7)),
      counts: whole(new Uint32Array(1)),
      potentials: bySample(new Float32Array(spikes.length)),
    });
    const fired = spikes.reduce((all, spike) => all + spike, 0);
    expect(fired).toBeGreaterThan(spikes.length / 50);
    expect(found.spikes).toEqual(toBits(spikes));
    expect(found.counts[0]).toBe(fired);
    expect(found.potentials).toBeAllclose(potentials, { relative: 3e-6 });
  });
});

describe.skipIf(!hasDevice).each(Object.entries(layers))(
  'gradients of neurons are those in double precision: %s',
  (_, one) => {
    const { shape, neuron } = one;
    const { layer, buffers, frames, poolShape, weightRows } = given(one);
    const { spikes, margin } = fireInLoops(layer);
    const after = rows(
      SAMPLES * shape.steps * (poolShape ? pooledPixels(poolShape) : pixels),
      map.channels,
      10,
    );
    const wanted = backInLoops(layer, after);
    const perNeuron = neuron.kind === 'plif' && neuron.tau.per === 'neuron';
    const size = sumRows(shape) * cp;

    const run = (pass: BackwardPass) => {
      // The kernel of the sums needs them in single precision: with the rows of α and τ, which this pass does not read.
      const sums = new Float32Array(size);
      sums.set(wanted.sums.subarray(0, shape.norm ? wanted.sums.length : 0));
      return runKernel(fireBackward(shape, neuron, poolShape, pass), {
        ...buffers,
        spikes: bySample(toBits(spikes)),
        after: bySample(after),
        sums: whole(sums),
        parts: whole(unwritten(backwardParts(shape) * size)),
        logitParts: whole(unwritten(sampleParts(shape) * pixels * cp)),
        result: bySample(unwritten(layer.product.length)),
        weightParts: whole(unwritten(Math.max(1, backwardParts(shape) * weightRows * cp))),
      });
    };

    /** What is added up over samples, steps and pixels. */
    const expectSums = ({ parts, logitParts }: Awaited<ReturnType<typeof run>>) => {
      const sums = sumOfParts(parts, size);
      if (shape.norm) expect(sums.subarray(0, size - 2 * cp)).toBeAllclose(wanted.sums);
      expect(sums.subarray(size - 2 * cp, size - cp)).toBeAllclose(wanted.ofAlpha);
      const ofChannel = (channel: number) => sum(pixels, (pixel) => wanted.ofLogits[pixel * cp + channel]!);
      if (perNeuron) expect(sumOfParts(logitParts, pixels * cp)).toBeAllclose(wanted.ofLogits);
      else expect(sums.subarray(size - cp)).toBeAllclose(each(cp, ofChannel));
    };

    test.runIf(shape.norm)('sums for batch norm, the slope and τ', async () => {
      expect(margin).toBeGreaterThan(2e-6);
      expectSums(await run('sums'));
    });

    test('of the product', async () => {
      expect(margin).toBeGreaterThan(2e-6);
      const found = await run('current');
      if (!shape.norm) expectSums(found);
      if (shape.current.kind === 'stored') return expect(found.result).toBeAllclose(wanted.ofProduct);
      const { inChannels, kernel, frameHeight, frameWidth } = shape.current;
      const ofWeights = each(weightRows * cp, (i) => {
        const [k, channel] = [Math.floor(i / cp), i % cp];
        const [plane, row, column] = [
          Math.floor(k / kernel ** 2),
          Math.floor(k / kernel) % kernel,
          k % kernel,
        ];
        return sum(wanted.ofProduct.length / cp, (place) => {
          const [image, pixel] = [Math.floor(place / pixels), place % pixels];
          const [y, x] = [Math.floor(pixel / map.width) + row, (pixel % map.width) + column];
          return (
            wanted.ofProduct[place * cp + channel]! *
            frames[((image * frameHeight + y) * frameWidth + x) * inChannels + plane]!
          );
        });
      });
      expect(sumOfParts(found.weightParts, weightRows * cp)).toBeAllclose(ofWeights);
    });
  },
);

test.skipIf(!hasDevice).each(['max', 'average'] as const)('pools, by the %s', async (mode) => {
  const shape: PoolShape = { ...map, mode, size: 2 };
  const values = rows(SAMPLES * map.steps * pixels, map.channels, 11, (u) => (u < 0.4 ? 1 : 0));
  const outPixels = pooledPixels(shape);
  const length = SAMPLES * map.steps * outPixels * cp;
  const windows = each(length, (i) => {
    const [channel, pixel, image] = [i % cp, Math.floor(i / cp) % outPixels, Math.floor(i / cp / outPixels)];
    const corner = Math.floor(pixel / 3) * 2 * map.width + (pixel % 3) * 2;
    const spikes = [0, 1, map.width, map.width + 1].map(
      (k) => values[(image * pixels + corner + k) * cp + channel]!,
    );
    return mode === 'max' ? Math.max(...spikes) : sum(4, (k) => spikes[k]!) / 4;
  });
  const empty = mode === 'max' ? new Uint32Array(length / 32).fill(7) : unwritten(length);
  const { pooled } = await runKernel(poolKernel(shape), {
    spikes: bySample(toBits(values)),
    pooled: bySample<Float32Array | Uint32Array>(empty),
  });
  expect([...pooled]).toEqual([...(mode === 'max' ? toBits(windows) : windows)]);
});
