import { describe, expect, it } from 'vitest';
import type { EngineSession, TrainingBatch } from '../../../src/engines/engine.ts';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { kernelOperations } from '../../../src/engines/tfjs/kernel-operations.ts';
import { referenceOperations } from '../../../src/engines/tfjs/reference-operations.ts';
import { buildNetwork } from '../../../src/snn/networks.ts';
import type { NetworkSpec } from '../../../src/snn/spec.ts';
import type { State } from '../../../src/snn/tensor.ts';
import '../../support/all-close.ts';
import { type GoldenCase, goldenCases, loadGolden } from '../../support/golden.ts';

/** The network of a golden case, from its entry of index.json. */
function networkOf(golden: GoldenCase): NetworkSpec {
  const { cin, ch, hw, layers, classes, ...options } = golden.description as Record<string, number>;
  return buildNetwork({
    input: [cin!, hw!, hw!],
    classes: classes!,
    channels: ch!,
    layers: layers!,
    neuron: options.plif === undefined ? 'plif' : 'lif',
    tau: { per: options.per_neuron ? 'neuron' : 'layer', mean: 2, std: 0 },
    reset: { kind: 'hard', detach: options.detach === undefined },
    surrogate: { kind: 'atan', alpha: 2, learnable: options.learn_alpha !== undefined },
    pooling: options.max_pool ? 'max' : 'average',
    hidden: golden.float('init/fc.2.weight').shape[0]!,
  });
}

function batchOf(golden: GoldenCase, step: number): TrainingBatch {
  const x = golden.float('x');
  const [, ...shape] = x.shape as [number, number, number, number, number, number];
  const [samples] = shape;
  const size = shape.reduce((product, length) => product * length, 1);
  const y = golden.tensors.get('y')!;
  return {
    frames: { shape, data: x.data.slice(step * size, (step + 1) * size) },
    labels: Int32Array.from(y.data.slice(step * samples, (step + 1) * samples) as BigInt64Array, Number),
    dropoutMasks: [golden.float(`step${step}/mask0`).data, golden.float(`step${step}/mask1`).data],
  };
}

function expectState(state: State, expected: State, relative: number): void {
  for (const [name, tensor] of expected) {
    const found = state.get(name)!;
    expect(found.shape, name).toEqual(tensor.shape);
    if (tensor.dtype === 'I64') expect(found.data, name).toEqual(tensor.data);
    else expect(found.data as Float32Array, name).toBeAllclose(tensor.data, { relative });
  }
}

/** The composed operations are slow on a CPU; their first step covers every gradient. */
const engines = [
  ['the kernels', kernelOperations, 3],
  ['the composed operations', referenceOperations, 1],
] as const;

describe.each(engines)('on %s', (_, operations, steps) => {
  describe.each(goldenCases('network'))('%s', (name) => {
    const golden = loadGolden(name);
    const {
      losses,
      lr,
      lr_T_max: period,
      reg_lambda,
    } = golden.description as Record<string, number> & {
      losses: number[];
    };
    const open = (): Promise<EngineSession> =>
      createCpuEngine('test', operations).open(networkOf(golden), golden.below('init/'));

    it(`trains ${steps} steps to the numbers of PyTorch`, async () => {
      const session = await open();
      for (let step = 0; step < steps; step++) {
        const learningRate = (lr! * (1 + Math.cos((Math.PI * step) / period!))) / 2;
        const result = await session.trainStep(
          batchOf(golden, step),
          { learningRate, regulariseTau: reg_lambda! },
          { keepGradients: step === 0 },
        );
        expect(Math.abs(result.loss - losses[step]!)).toBeLessThan(1e-5);
        expect(result.rates).toBeAllclose(golden.float(`step${step}/rate`).data, { relative: 1e-6 });
        if (step === 0) expectState(result.gradients!, golden.below('step0/grad/'), 1e-4);
        expectState(await session.state(), golden.below(`step${step}/state/`), 1e-4);
      }
      if (steps === 3) {
        const { frames } = batchOf(golden, 0);
        expect((await session.evaluate(frames)).rates).toBeAllclose(golden.float('eval/rate').data);
      }
      session.dispose();
    });
  });
});
