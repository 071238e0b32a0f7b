import { expect, it } from 'vitest';
import { logitOfTau, reset, restingPotential, tauOfLogit } from '../../src/network/neurons.ts';

it('a neuron spikes at the threshold, not only above it', () => {
  expect(reset(1, 1, true, -0.25)).toBe(-0.25);
  expect(reset(1, 1, false, 0)).toBe(0);
  expect(reset(0.75, 1, true, -0.25)).toBe(0.75);
});

it('neurons start at the target of a hard reset, or at 0 if the reset is soft', () => {
  const neuron = {
    kind: 'lif',
    tau: { per: 'layer', mean: 2, std: 0 },
    threshold: 1,
    surrogate: { kind: 'atan', alpha: 2, learnable: false },
  } as const;
  expect(restingPotential({ ...neuron, reset: { kind: 'hard', potential: -0.25, detach: true } })).toBe(
    -0.25,
  );
  expect(restingPotential({ ...neuron, reset: { kind: 'soft', detach: true } })).toBe(0);
});

it('w is the logit of 1/τ: 0 at τ = 2, and back again', () => {
  expect(logitOfTau(2)).toBe(0);
  expect(logitOfTau(5)).toBeCloseTo(-Math.log(4), 12);
  expect(tauOfLogit(logitOfTau(1.25))).toBeCloseTo(1.25, 12);
});
