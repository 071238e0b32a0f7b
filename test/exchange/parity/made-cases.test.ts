import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { initialState } from '../../../src/network/initialise.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import { floats, listFailures, makeCase, runFolder, whole } from './case-folders.ts';

/*
 * One neuron by hand: τ = 2 (w = 0), threshold 1, hard reset to 0, detached. x = 1, 2, 0.5 in three steps:
 *
 *   h = 0.5, no spike, v = 0.5; h = 0.5 + (2 − 0.5) / 2 = 1.25, a spike, v = 0; h = 0.25, no spike, v = 0.25
 *
 * The loss is the second spike. Triangle with α = 1 at u = 0.25: dS/du = 0.75, dS/dα = 0.25 · 0.75. Backward:
 *
 *   ∂h₂ = 0.75, ∂x₂ = 0.375; ∂v₁ = ∂h₂ / 2 = ∂h₁ = 0.375, ∂x₁ = 0.1875; ∂x₃ = 0
 *   ∂(1/τ) = 0.75 · (2 − 0.5) + 0.375 · 1 = 1.5, and dσ/dw = 1/4 at w = 0: ∂w = 0.375
 */
const neuron = {
  description: {
    kind: 'neuron',
    neuron: 'PLIF',
    per_neuron: false,
    detach_reset: true,
    v_reset: 0,
    v_threshold: 1,
    surrogate: 'triangle',
    alpha: 1,
    alpha_learnable: true,
    layout: 'T,N,F',
  },
  tensors: {
    x: floats([3, 1, 1], 1, 2, 0.5),
    w: floats([], 0),
    coef: floats([3, 1, 1], 0, 1, 0),
    spikes: floats([3, 1, 1], 0, 1, 0),
    v_after: floats([3, 1, 1], 0.5, 0, 0.25),
    grad_x: floats([3, 1, 1], 0.1875, 0.375, 0),
    grad_w: floats([], 0.375),
    grad_alpha: floats([], 0.1875),
  },
};

it('one neuron over three steps matches a calculation by hand', async () => {
  const outcomes = await runFolder(makeCase(neuron.description, neuron.tensors));
  expect(listFailures(outcomes)).toEqual([]);
  expect(outcomes[0]?.comparisons.map(({ what }) => what)).toEqual([
    'spikes',
    'v_after',
    'grad_x',
    'grad_w',
    'grad_alpha',
  ]);
});

it('one LIF neuron takes its τ from the description, and its potentials are compared if given', async () => {
  // τ = 4: h = 0.25; 0.25 + (2 − 0.25) / 4 = 0.6875; 0.6875 + (0.5 − 0.6875) / 4 = 0.640625. No spike, and no loss.
  const folder = (v_after: number) =>
    makeCase(
      { ...neuron.description, neuron: 'LIF', tau: 4, alpha_learnable: false },
      {
        x: neuron.tensors.x,
        coef: floats([3, 1, 1], 0, 0, 0),
        spikes: floats([3, 1, 1], 0, 0, 0),
        v_after: floats([3, 1, 1], 0.25, 0.6875, v_after),
        grad_x: floats([3, 1, 1], 0, 0, 0),
      },
    );
  expect(listFailures(await runFolder(folder(0.640625)))).toEqual([]);
  expect(listFailures(await runFolder(folder(0.64)))).toEqual([
    expect.stringMatching(/^made: v_after: v_after/),
  ]);
});

it('frames need not be square', async () => {
  // Two frames of 1 x 2 pixels from three events: the first takes one, the second the rest.
  const folder = makeCase(
    { kind: 'frames', split_by: 'number', normalization: 'sum', T: 2, height: 1, width: 2 },
    {
      t: whole(0, 5, 9),
      x: whole(1, 0, 0),
      y: whole(0, 0, 0),
      p: whole(1, 0, 0),
      frames: floats([2, 2, 1, 2], 0, 0, 0, 1, 1, 0, 0, 0),
    },
  );
  expect(listFailures(await runFolder(folder))).toEqual([]);
});

it('initial parameters name the tensor with another sha256', async () => {
  const size = { cin: 1, hw: 8, ch: 2, layers: 2, hidden: 5, classes: 3, T: 1 };
  const spec = buildNetwork({
    input: [1, 8, 8],
    classes: 3,
    channels: 2,
    layers: 2,
    hidden: 5,
    neuron: 'plif',
    tau: { per: 'neuron', mean: 2, std: 0.1 },
    reset: { kind: 'hard', detach: true },
    surrogate: { kind: 'atan', alpha: 2, learnable: false },
    pooling: 'max',
  });
  const digests = Object.fromEntries(
    [...initialState(spec, 5)].flatMap(([name, { dtype, shape, data }]) =>
      dtype === 'I64' || name.includes('running')
        ? []
        : [
            [
              name,
              {
                shape,
                first: [...data.subarray(0, 6)],
                sha256_f32le: createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex'),
              },
            ],
          ],
    ),
  );
  const run = (neuron_tau: object) =>
    runFolder({
      index: { cases: {}, initial_parameters: { seed: 5, tiny: { ...size, neuron_tau } } },
      files: new Map(),
    });
  const failures = async (neuron_tau: object) => listFailures(await run(neuron_tau)).slice(1);
  expect(await failures(digests)).toEqual([]);

  const unlike = (name: string) => ({
    ...digests,
    [name]: { ...digests[name], sha256_f32le: '0'.repeat(64) },
  });
  expect(await failures(unlike('fc.2.weight'))).toEqual([
    expect.stringContaining(
      'tiny, neuron_tau: "fc.2.weight": the folder has sha256 000000000000…, this program computes ',
    ),
  ]);
  // Another processor's normal numbers: only the first six can be compared.
  const [, outcome] = await run(unlike('conv.2.w'));
  expect(outcome?.comparisons.map(({ what, values, passed }) => [what, values, passed])).toEqual([
    ['tiny, neuron_tau', 2 * 9 + 4 * 9 + 8 + 5 * 8 + 30 * 5, true],
    ['tiny, neuron_tau, w', 6 + 2 * 16 + 5 + 30, true],
  ]);
});
