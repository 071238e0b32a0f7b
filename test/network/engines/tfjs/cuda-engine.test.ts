import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Engine } from '../../../../src/network/engines/engine.ts';
import { type ProbedSystem, probeCuda } from '../../../../src/network/engines/tfjs/cuda.ts';
import { createCpuEngine, createCudaEngine } from '../../../../src/network/engines/tfjs/engine.ts';
import { initialState } from '../../../../src/network/initialise.ts';
import { buildNetwork } from '../../../../src/network/networks.ts';
import { randomBatch } from '../../../native/support.ts';
import '../../../support/all-close.ts';
import { thesisNetwork } from '../../../support/thesis-network.ts';

/** Replaces @tensorflow/tfjs-node-gpu: a backend with its name that uses the CPU's kernels. */
function surroundings(isUsingGpuDevice: boolean): ProbedSystem {
  return {
    platform: 'linux-x64',
    isInstalled: () => true,
    load: async () => {
      if (tf.findBackendFactory('tensorflow') !== null) tf.removeBackend('tensorflow');
      tf.registerBackend('tensorflow', () => Object.assign(new MathBackendCPU(), { isUsingGpuDevice }));
      if (tf.getKernel('Add', 'tensorflow') === undefined) tf.copyRegisteredKernels('cpu', 'tensorflow');
    },
  };
}

beforeAll(() => void createCpuEngine('test')); // silences tfjs' advertisement
afterAll(() => void tf.removeBackend('tensorflow')); // Other test files share this process.

it('distinguishes a GPU from a library that fell back to the CPU', async () => {
  expect(await probeCuda(surroundings(false))).toMatchObject({
    usable: false,
    reason: '@tensorflow/tfjs-node-gpu loads but finds no CUDA device',
  });
  expect(await probeCuda(surroundings(true))).toEqual({ usable: true, version: '4.22.0' });
});

it('computes on the package’s backend, next to a session on the CPU', async () => {
  await probeCuda(surroundings(true));
  const spec = buildNetwork({ ...thesisNetwork, input: [2, 6, 6], classes: 2, channels: 3, layers: 1 });
  const batch = randomBatch(spec, { samples: 2 });
  const open = (engine: Engine) => engine.open(spec, initialState(spec, 7));
  const [cuda, cpu] = [await open(createCudaEngine('test')), await open(createCpuEngine('test'))];
  for (let i = 0; i < 2; i++) {
    const hyperparameters = { learningRate: 0.01, regulariseTau: 0 };
    const expected = await cpu.trainStep(batch, hyperparameters);
    expect(tf.getBackend()).toBe('cpu');
    const found = await cuda.trainStep(batch, hyperparameters);
    expect(tf.getBackend()).toBe('tensorflow');
    expect(found.loss).toBeCloseTo(expected.loss, 6);
    expect(found.rates).toBeAllclose(expected.rates);
  }
  cuda.dispose();
  cpu.dispose();
});
