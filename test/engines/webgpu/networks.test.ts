import { describe, expect, test } from 'vitest';
import type { Engine, EngineSession } from '../../../src/engines/engine.ts';
import { caseOf, checkStep, compareSteps } from '../../native/network-cases.ts';
import { builds, livelyState, nativeEngine, randomBatch } from '../../native/support.ts';
import '../../support/all-close.ts';
import { engineOn, hasDevice, webgpuEngine, withSmallBuffers } from './support.ts';

/** What the parity suite's networks lack; each network takes some seconds to compile. */
const names = [
  'neurons: soft reset, attached, τ per neuron',
  'average pooling and attached neurons',
  'no pooling, convolutions that shrink',
  'kernels of other sizes',
  'more than one block of channels',
  'no batch norm',
  'seventeen planes',
  'no convolution',
  'one sample, one step',
  'frames of 16 bits',
  'frames of 32 bits',
  'normalised frames',
];

describe.skipIf(!hasDevice)('a training step of the WebGPU engine', () => {
  test.each(names)('is that of TensorFlow.js, as is an evaluation before and after it: %s', (name) =>
    checkStep(webgpuEngine(), name),
  );

  test('is that of TensorFlow.js if a buffer holds two of three samples', async () => {
    // The largest space of a sample has 4 steps of 9 x 11 pixels and 32 channels, in 4 bytes each.
    const bytes = 4 * 9 * 11 * 32 * 4;
    await checkStep(engineOn(withSmallBuffers(2.5 * bytes)), 'no pooling, convolutions that shrink');
  });

  test('refuses a network of which a buffer does not hold one sample', async () => {
    const { spec } = caseOf('no pooling, convolutions that shrink');
    const session = await engineOn(withSmallBuffers(1000)).open(spec, livelyState(spec));
    await expect(session.evaluate(randomBatch(spec).frames)).rejects.toThrow(
      /one sample of this network is larger/,
    );
    session.dispose();
  });

  test.each([
    'batch norm, pooling and convolution without neurons',
    'frames that are pooled first',
    'neurons, then neurons',
  ])('is refused for layers in an order that it does not compute: %s', async (name) => {
    const { spec } = caseOf(name);
    await expect(webgpuEngine().open(spec, livelyState(spec))).rejects.toMatchObject({
      name: 'ShapeError',
      message: expect.stringContaining('the WebGPU engine computes'),
    });
  });
});

describe.skipIf(!hasDevice)('a session of the WebGPU engine', () => {
  const { spec } = caseOf('no batch norm');
  const settings = { learningRate: 0.01, regulariseTau: 0 };

  test('aborts a step that has not been submitted, without a trace', async () => {
    const session = await webgpuEngine().open(spec, livelyState(spec));
    const before = await session.state();
    const step = session.trainStep(randomBatch(spec), settings);
    session.abort?.();
    await expect(step).rejects.toMatchObject({ name: 'StepAbortedError' });
    expect(await session.state()).toEqual(before);
    session.dispose();
  });

  test.each(['trainStep', 'evaluate'] as const)('lets go of %s when it is disposed of', async (what) => {
    const session = await webgpuEngine().open(spec, livelyState(spec));
    const batch = randomBatch(spec);
    const pass = what === 'trainStep' ? session.trainStep(batch, settings) : session.evaluate(batch.frames);
    session.dispose();
    await expect(pass).rejects.toMatchObject({ name: 'StepAbortedError' });
    await expect(session.state()).rejects.toThrow('disposed');
  });

  test('goes on where another engine stopped, and that one where it stopped', async () => {
    const engines = [webgpuEngine(), nativeEngine(builds.at(-1))] as const;
    const train = async (...order: readonly Engine[]) => {
      let session: EngineSession | undefined;
      const steps = [];
      for (const [i, engine] of order.entries()) {
        const [state, optimiser] = session
          ? [await session.state(), await session.optimiserState()]
          : [livelyState(spec)];
        session?.dispose();
        session = await engine.open(spec, state, optimiser);
        steps.push(
          await session.trainStep(randomBatch(spec, { seed: i }), settings, { keepGradients: true }),
        );
      }
      session?.dispose();
      return steps;
    };
    const [gpu, cpu] = engines;
    const wanted = await train(cpu, cpu, cpu);
    const mixed = await train(cpu, gpu, cpu);
    mixed.forEach((step, i) => {
      compareSteps(step, wanted[i]!);
    });
  });
});
