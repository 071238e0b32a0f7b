import { expect, test } from 'vitest';
import { costsOf } from '../../../../bench/webgpu/costs.ts';
import { sliceSamples } from '../../../../src/network/engines/webgpu/device.ts';
import { plainTraining } from '../../../../src/network/engines/webgpu/forward.ts';
import { NetworkPlan } from '../../../../src/network/engines/webgpu/plan.ts';
import { Program } from '../../../../src/network/engines/webgpu/program.ts';
import { buildNetwork } from '../../../../src/network/networks.ts';
import { thesisNetwork } from '../../../support/thesis-network.ts';

const spec = buildNetwork({ ...thesisNetwork, tau: { per: 'layer', mean: 2, std: 0 } });
const kind = { steps: 20, type: 'uint8' } as const;

test('the plan of the thesis network counts operations and traffic, and fits into 3 GB with 16 samples, 6 GB with 32', () => {
  const plan = new NetworkPlan(spec);
  const program = plan.program({ ...kind, training: plainTraining });
  const costs = new Map(costsOf(program, 16).map((cost) => [cost.name, cost]));
  // Four convolutions of 128 channels on 64 x 64, 32 x 32, 16 x 16 and 8 x 8 pixels; a multiplication and an addition each.
  const flop = 2 * 16 * 20 * (64 ** 2 + 32 ** 2 + 16 ** 2 + 8 ** 2) * 9 * 128 * 128;
  expect(costs.get('product of spikes')).toMatchObject({ dispatches: 4, flop });
  expect(costs.get('weight gradient from spikes')).toMatchObject({ dispatches: 4, flop });
  // Also the two linear layers, of 2048 to 512 and 512 to 110 features, which fill up 128.
  const linear = 2 * 16 * 20 * (2048 * 512 + 512 * 128);
  expect(costs.get('input gradient')).toMatchObject({ dispatches: 6, flop: flop + linear });
  // Parameter, gradient and two moments.
  expect(costs.get('Adam')).toMatchObject({ dispatches: 1, bytes: 4 * 4 * plan.parameters.sizes.values });
  const evaluation = plan.program({ ...kind, training: undefined });
  const bytes = (samples: number) =>
    program.countBytes(samples, samples) +
    evaluation.countBytes(samples, 6) +
    4 * 4 * plan.parameters.sizes.values;
  expect(bytes(16)).toBeLessThan(3e9);
  expect(bytes(32)).toBeLessThan(6e9);
});

test('a training step of more than 500 time steps is refused, as a thread may have too little memory, but not an evaluation', () => {
  const plan = new NetworkPlan(spec);
  const program = (steps: number, training?: typeof plainTraining) =>
    plan.program({ steps, type: 'uint8', training });
  expect(() => program(501, plainTraining)).toThrow(
    expect.objectContaining({ code: 'gpu-limit', message: expect.stringContaining('T = 501') }),
  );
  // What WGSL guarantees to the variables of a function; potentials, normalised currents and sums of 8 bytes for each step.
  const code = program(500, plainTraining).phases.flatMap(({ passes }) =>
    passes.map(({ kernel }) => kernel.code),
  );
  const perStep = code.map((text) => {
    const arrays = [...text.matchAll(/var \w+: array<(f32|vec2f), (?:CURRENT_)?STEPS>/g)];
    return arrays.reduce((sum, [, type]) => sum + (type === 'f32' ? 4 : 8), 0);
  });
  expect(Math.max(...perStep) * 500).toBeLessThanOrEqual(8192 - 192);
  expect(program(501).phases).not.toEqual([]);
});

test('a slice has as many samples as the device can bind, unless it cannot bind one, or what all share', () => {
  const program = new Program();
  program.space('kept', 'product', 1000);
  program.space('fixed', 'weight parts', 2000);
  expect(sliceSamples(program, 9000)).toBe(2);
  const refusal = (mostBytes: number) => expect(() => sliceSamples(program, mostBytes));
  refusal(7999).toThrow('"weight parts" needs a buffer of 8.0 kB; this GPU binds at most 8.0 kB at once.');
  program.space('scratch', 'gradient', 2500);
  refusal(9000).toThrow(
    '"gradient" of one sample needs a buffer of 10.0 kB; this GPU binds at most 9.0 kB at once.',
  );
});
