import { describe, expect, test } from 'vitest';
import type { Engine, EngineSession } from '../../../../src/network/engines/engine.ts';
import { caseOf, checkLoss, checkStep, compareSteps, losses } from '../../../native/network-cases.ts';
import { builds, Layers, livelyState, nativeEngine, plif, randomBatch } from '../../../native/support.ts';
import '../../../support/all-close.ts';
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
  'no convolution, normalised frames',
  'recurrent: soft reset, attached, τ per neuron',
  'one sample, one step',
  'frames of 16 bits',
  'frames of 32 bits',
  'normalised frames',
];

describe.skipIf(!hasDevice)('a training step of the WebGPU engine', () => {
  test.each(names)('is that of TensorFlow.js, as is an evaluation before and after it: %s', (name) =>
    checkStep(webgpuEngine(), name),
  );

  test.each(Object.keys(losses))('is that of TensorFlow.js with %s in the loss', (name) =>
    checkLoss(webgpuEngine(), name),
  );

  const { spec: shrinking } = caseOf('no pooling, convolutions that shrink');
  // More than what is the same for any number of samples, and less than 15 samples need: 9 fit.
  const small = () => engineOn(withSmallBuffers(300_000));

  const recurrent = new Layers([2, 5, 5]).linear(20).neuron(plif, { recurrent: true }).classify();
  test.each([
    ['convolutions', shrinking, 300_000],
    ['recurrent', recurrent, 20_000],
  ] as const)(
    'is the same in slices, where a buffer does not hold all samples: %s',
    async (_, spec, bytes) => {
      const batch = randomBatch(spec, { samples: 15 });
      const settings = { learningRate: 0.01, regulariseTau: 0 };
      const [wanted, found] = await Promise.all(
        [webgpuEngine(), engineOn(withSmallBuffers(bytes))].map(async (engine) => {
          const session = await engine.open(spec, livelyState(spec));
          const step = await session.trainStep(batch, settings, { keepGradients: true });
          session.dispose();
          return step;
        }),
      );
      compareSteps(found!, wanted!);
    },
  );

  test('is refused if a buffer does not hold one sample, or a parameter', async () => {
    const session = await small().open(shrinking, livelyState(shrinking));
    const { frames } = randomBatch(shrinking, { steps: 200 });
    await expect(session.evaluate(frames)).rejects.toMatchObject({
      code: 'gpu-limit',
      message: expect.stringMatching(
        /^".+" of one sample needs a buffer of [\d.]+ kB; this GPU binds at most 300 kB at once\.$/,
      ),
      fix: expect.stringContaining('REPRO_GPU'),
    });
    session.dispose();
    const tiny = engineOn(withSmallBuffers(1000));
    await expect(tiny.open(shrinking, livelyState(shrinking))).rejects.toMatchObject({
      code: 'gpu-limit',
      message: expect.stringContaining('"parameters" needs a buffer of'),
    });
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
