import { describe, expect, it } from 'vitest';
import { type Frames, StepAbortedError, type TrainingBatch } from '../../../src/engines/engine.ts';
import { createNativeEngine } from '../../../src/engines/native/engine.ts';
import { NativeSession } from '../../../src/engines/native/session.ts';
import { buildNetwork } from '../../../src/snn/networks.ts';
import { stateEntries } from '../../../src/snn/parameters.ts';
import { type NetworkSpec, spikingLayers } from '../../../src/snn/spec.ts';
import { countElements, type State, type Tensor } from '../../../src/snn/tensor.ts';
import { smallNetwork } from '../../training/small-task.ts';
import { FakeAddon, type FakeAddonOptions } from './fake-addon.ts';

const spec = buildNetwork(smallNetwork);
const hyperparameters = { learningRate: 0.01, regulariseTau: 0.1 };

/** Every tensor has its place in the network as its value. */
function numberedState(of: NetworkSpec = spec): Map<string, Tensor> {
  return new Map(
    stateEntries(of).map(({ name, shape, dtype }, i): [string, Tensor] => [
      name,
      dtype === 'I64'
        ? { dtype, shape, data: BigInt64Array.of(7n) }
        : { dtype, shape, data: new Float32Array(countElements(shape)).fill(i) },
    ]),
  );
}

function batchOf(samples: number, of: NetworkSpec = spec, steps = 2): TrainingBatch {
  const shape: Frames['shape'] = [samples, steps, ...of.input];
  return {
    frames: { shape, data: new Uint8Array(countElements(shape)).fill(3) },
    labels: new Int32Array(samples),
    dropoutMasks: of.layers.flatMap((layer) =>
      layer.kind === 'dropout' ? [new Float32Array(samples * layer.features).fill(1)] : [],
    ),
  };
}

async function open(options: FakeAddonOptions = {}, of: NetworkSpec = spec) {
  const addon = new FakeAddon(options);
  const session = await createNativeEngine(addon, { threads: 2, environment: {} }).open(
    of,
    numberedState(of),
  );
  const network = addon.networks[0];
  if (network === undefined) throw new Error('nothing was opened');
  return { addon, session, network };
}

describe('the native engine', () => {
  it('disposes of a network whose state does not fit', async () => {
    const addon = new FakeAddon();
    const broken: State = new Map([...numberedState()].slice(1));
    await expect(createNativeEngine(addon, { threads: 1 }).open(spec, broken)).rejects.toThrow(
      'state: expected a tensor',
    );
    expect(addon.networks[0]?.isDisposed).toBe(true);
  });

  it('refuses a network whose parameters do not fit, without opening it', async () => {
    const addon = new FakeAddon();
    const engine = createNativeEngine(addon, { threads: 1, environment: {}, available: () => 1000 });
    await expect(engine.open(spec, numberedState())).rejects.toMatchObject({
      code: 'out-of-memory',
      message: expect.stringMatching(
        /^This network's parameters, with gradients and Adam's moments, need \d/,
      ),
    });
    expect(addon.opened).toEqual([]);
  });

  it('runs neurons with w for PLIF, and with the τ of the settings without it', async () => {
    const addon = new FakeAddon();
    const engine = createNativeEngine(addon, { threads: 1, environment: {} });
    const neuron = spikingLayers(spec)[0]!.neuron;
    const pass = {
      neuron,
      shape: [1, 1, 2],
      current: Float32Array.of(1, 2),
      coefficients: Float32Array.of(1, 1),
    };
    const { gradients, potentials } = await engine.runNeurons({ ...pass, logits: Float32Array.of(0) });
    expect(gradients).toEqual({
      current: Float32Array.of(2, 2),
      alpha: 3,
      logits: Float32Array.of(4),
    });
    expect(potentials).toEqual(Float32Array.of(0.5, 0.5));
    expect((await engine.runNeurons(pass)).gradients.logits).toBeUndefined();
    expect(addon.neuronCalls.map((call) => call.neuron.kind)).toEqual(['plif', 'lif']);
    await expect(engine.runNeurons({ ...pass, current: new Float32Array(3) })).rejects.toThrow('current:');
  });
});

describe('a native session', () => {
  it('gives and takes every tensor by its name', async () => {
    const { session, network } = await open();
    expect(await session.state()).toEqual(numberedState());
    expect(network.tensors.has('conv.1.num_batches_tracked value')).toBe(false);
  });

  it('takes over the moments of a training that goes on, and the number of its next step', async () => {
    const addon = new FakeAddon();
    const moments = (factor: number): State =>
      new Map(
        [...numberedState()].flatMap(([name, tensor]): [string, Tensor][] =>
          tensor.dtype === 'F32' && stateEntries(spec).find((one) => one.name === name)?.role === 'parameter'
            ? [[name, { ...tensor, data: tensor.data.map((value) => value * factor) }]]
            : [],
        ),
      );
    const optimiser = { step: 41, first: moments(2), second: moments(3) };
    const session = await createNativeEngine(addon, { threads: 1 }).open(spec, numberedState(), optimiser);
    expect(await session.optimiserState()).toEqual(optimiser);
    await session.trainStep(batchOf(2), hyperparameters);
    expect(addon.networks[0]?.steps[0]?.options).toEqual({
      learningRate: 0.01,
      lambda: 0.1,
      regularise: 'w',
      loss: 'rate',
      step: 42,
      keepGradients: false,
    });
    expect((await session.optimiserState()).step).toBe(42);
  });

  it('passes counts as they are, and those of 32 bits in single precision', async () => {
    const { session, network } = await open();
    const { frames } = batchOf(1);
    await session.evaluate(frames);
    await session.evaluate({ ...frames, data: Uint32Array.from(frames.data, () => 70_000) });
    expect(network.steps[0]?.frames).toBe(frames.data);
    expect(network.steps[1]?.frames).toEqual(new Float32Array(frames.data.length).fill(70_000));
  });
});

describe('a native session that is disposed of during a step', () => {
  it('rejects one that ended nevertheless, whose result is gone', async () => {
    const { session } = await open({ onStep: () => {} });
    const step = session.trainStep(batchOf(2), hyperparameters, { keepGradients: true });
    await Promise.resolve();
    session.dispose();
    await expect(step).rejects.toThrow(StepAbortedError);
  });
});

describe('the memory of a native session', () => {
  const gigabytes = (samples: number): number => samples * 1e9;
  const openWith = (availableBytes: number, options: FakeAddonOptions = {}) => {
    const network = new FakeAddon({ bytesFor: gigabytes, ...options }).open({
      layers: [],
      input: spec.input,
      classes: 3,
      threads: 1,
      instructionSet: 'baseline',
      winogradTile: 2,
    });
    return new NativeSession(spec, network, numberedState(), undefined, () => availableBytes);
  };

  it('is checked before the batch is computed; the error names the largest batch that fits', async () => {
    const session = openWith(3.5e9);
    await expect(session.trainStep(batchOf(8), hyperparameters)).rejects.toMatchObject({
      code: 'out-of-memory',
      message: 'This network needs 8.0 GB of memory for a batch of 8; 3.5 GB are available.',
      fix: 'Lower the batch size (`train.batchSize`, `evaluate.batchSize`) to 3 or less.',
    });
    await session.trainStep(batchOf(3), hyperparameters);
    // Now 3 GB are reserved, and would be given up for more.
    await session.trainStep(batchOf(6), hyperparameters);
    await expect(session.evaluate(batchOf(10).frames)).rejects.toMatchObject({
      fix: expect.stringMatching(/ to 9 or less\.$/),
    });
  });

  it('says so if not even one sample fits', async () => {
    await expect(openWith(0.5e9).trainStep(batchOf(2), hyperparameters)).rejects.toMatchObject({
      fix: 'Use a smaller network, or a machine with more memory.',
    });
  });

  it('is also explained if the system refuses it in spite of the check', async () => {
    const session = openWith(100e9, { capacityBytes: 1e9 });
    await expect(session.evaluate(batchOf(8).frames)).rejects.toMatchObject({
      code: 'out-of-memory',
      need: { samples: 8, neededBytes: 8e9, largestBatch: 4 },
    });
  });

  it('is gone after such a refusal, with what was reserved before', async () => {
    const session = openWith(5.5e9, { capacityBytes: 4e9 });
    await session.trainStep(batchOf(3), hyperparameters);
    // 5.5 and 3 GB are enough; then the system refuses.
    await expect(session.trainStep(batchOf(8), hyperparameters)).rejects.toMatchObject({
      need: { availableBytes: 8.5e9, largestBatch: 4 },
    });
    await expect(session.trainStep(batchOf(6), hyperparameters)).rejects.toMatchObject({
      need: { availableBytes: 5.5e9, largestBatch: 5 },
    });
  });

  it('may be more than can be counted', async () => {
    const session = openWith(1e9, {
      bytesFor: () => {
        throw Object.assign(new Error('out of memory'), { code: 'PLIF_OUT_OF_MEMORY' });
      },
    });
    await expect(session.evaluate(batchOf(8).frames)).rejects.toThrow(
      'needs more memory than can be addressed for a batch of 8; 1.0 GB are available.',
    );
  });
});
