import '../support/all-close.ts';
import { describe, expect, it } from 'vitest';
import {
  charge,
  logitOfTau,
  reset,
  restingPotential,
  surrogates,
  tauOfLogit,
} from '../../src/snn/neurons.ts';
import { goldenCases, loadGolden } from '../support/golden.ts';

interface Description {
  readonly v_threshold: number;
  /** null for a soft reset. */
  readonly v_reset: number | null;
  /** Of a LIF neuron, in time steps. */
  readonly tau?: number;
}

/** The equations, neuron by neuron and step by step. x is [T, N, ...neurons], w one number or one per neuron. */
function runEquations(name: string): { spikes: number[]; potentials: number[] } {
  const golden = loadGolden(name);
  const { v_threshold: threshold, v_reset, tau = 2 } = golden.description as unknown as Description;
  const { shape, data: x } = golden.float('x');
  const w = golden.tensors.has('w') ? golden.float('w').data : [logitOfTau(tau)];
  const [rest, hard] = [v_reset ?? 0, v_reset !== null];
  const size = x.length / shape[0]!;
  const potentials: number[] = [];
  const spikes = Array.from(x, (current, i) => {
    // The neurons are innermost in x, so their number divides the offset of every sample and step.
    const leak = 1 / tauOfLogit(w[i % w.length]!);
    const charged = charge(potentials[i - size] ?? rest, current, leak, rest);
    potentials.push(reset(charged, threshold, hard, rest));
    return charged >= threshold ? 1 : 0;
  });
  return { spikes, potentials };
}

describe('charge and reset', () => {
  it.each([...goldenCases('neuron'), ...goldenCases('neuron', 'torch/')])(
    'step for step give the spikes and potentials of PyTorch: %s',
    (name) => {
      const golden = loadGolden(name);
      const { spikes, potentials } = runEquations(name);
      expect(spikes).toEqual([...golden.float('spikes').data]);
      // The original's vectors of LIF neurons have no potentials.
      if (name !== 'lif_00') {
        expect(potentials).toBeAllclose(golden.float('v_after').data, { relative: 1e-5 });
      }
    },
  );

  it('spike at the threshold, not only above it', () => {
    expect(reset(1, 1, true, -0.25)).toBe(-0.25);
    expect(reset(1, 1, false, 0)).toBe(0);
    expect(reset(0.75, 1, true, -0.25)).toBe(0.75);
  });
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

describe.each(Object.entries(surrogates))('the surrogate %s', (_, { value, derivative }) => {
  /** The smooth function whose derivatives replace those of the spike. */
  const smoothSpike = (excess: number, alpha: number): number => value(alpha * excess);

  it.each([
    [0, 2],
    [0.3, 2],
    [-1.2, 2],
    [0.7, 0.5],
    [-0.7, 1],
    [-4, 5],
  ])('gives both derivatives of the smooth spike at u = %d, α = %d', (excess, alpha) => {
    const step = 1e-5;
    const byExcess = (smoothSpike(excess + step, alpha) - smoothSpike(excess - step, alpha)) / (2 * step);
    const byAlpha = (smoothSpike(excess, alpha + step) - smoothSpike(excess, alpha - step)) / (2 * step);
    // The triangle has a kink at u = 0, where central differences are off by the size of the step.
    expect(alpha * derivative(alpha * excess)).toBeCloseTo(byExcess, 4);
    expect(excess * derivative(alpha * excess)).toBeCloseTo(byAlpha, 8);
  });

  it('rises from 0 to 1, through 1/2 at the threshold', () => {
    const values = [-1e9, -1, -0.5, 0, 0.5, 1, 1e9].map(value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect([values[0], values[3], values.at(-1)]).toEqual([expect.closeTo(0, 8), 0.5, expect.closeTo(1, 8)]);
  });

  it('is symmetric and finite however far the potential is from the threshold', () => {
    for (const z of [0.4, 3, 1e3, 1e9]) {
      expect(derivative(-z)).toBeCloseTo(derivative(z), 12);
      expect(derivative(z)).toBeLessThan(derivative(0));
    }
  });
});

it('has the peaks α/2 (ATan), α/4 (logistic sigmoid) and α (triangle)', () => {
  const peaks = Object.fromEntries(
    Object.entries(surrogates).map(([kind, one]) => [kind, one.derivative(0)]),
  );
  expect(peaks).toEqual({ atan: 1 / 2, sigmoid: 1 / 4, triangle: 1 });
});
