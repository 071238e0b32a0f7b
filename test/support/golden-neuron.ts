import type { NeuronSpec, Surrogate } from '../../src/snn/spec.ts';
import { type FloatTensor, type GoldenCase, loadGolden } from './golden.ts';

/** A golden case of one layer of neurons over some steps. */
export interface NeuronCase {
  readonly golden: GoldenCase;
  readonly neuron: NeuronSpec;
  /** Input current, [T, N, C, H, W]. */
  readonly x: FloatTensor;
  /** The loss is Σ spikes · coefficients. */
  readonly coefficients: FloatTensor;
  /** w, the logit of 1/τ: [] or [1, C, H, W]. */
  readonly logits: FloatTensor;
  /** What the case must hold, by what its description says: a missing tensor is an error, not a check less. */
  readonly expected: {
    readonly potentials?: FloatTensor;
    readonly logitGradient?: FloatTensor;
    readonly alphaGradient?: FloatTensor;
  };
}

interface Description {
  readonly neuron: 'PLIF' | 'LIF';
  readonly v_reset: number | null;
  readonly v_threshold: number;
  readonly detach_reset: boolean;
  readonly surrogate: Surrogate['kind'];
  readonly alpha: number;
  readonly alpha_learnable?: boolean;
  readonly per_neuron?: boolean;
  /** Of a LIF neuron, in time steps. */
  readonly tau?: number;
}

export function loadNeuronCase(name: string): NeuronCase {
  const golden = loadGolden(name);
  const description = golden.description as unknown as Description;
  const { v_reset, detach_reset: detach, v_threshold, surrogate, alpha, per_neuron, tau = 2 } = description;
  const learned = description.neuron === 'PLIF';
  const logits: FloatTensor = learned
    ? golden.float('w')
    : { dtype: 'F32', shape: [], data: Float32Array.of(-Math.log(tau - 1)) };
  if (logits.data.length > 1 !== (per_neuron ?? false)) throw new Error(`${name}: w is not as described`);
  return {
    golden,
    neuron: {
      kind: learned ? 'plif' : 'lif',
      tau: { per: per_neuron ? 'neuron' : 'layer', mean: tau, std: 0 },
      threshold: v_threshold,
      reset: v_reset === null ? { kind: 'soft', detach } : { kind: 'hard', potential: v_reset, detach },
      surrogate: { kind: surrogate, alpha, learnable: description.alpha_learnable ?? false },
    },
    x: golden.float('x'),
    coefficients: golden.float('coef'),
    logits,
    expected: {
      ...(learned ? { potentials: golden.float('v_after'), logitGradient: golden.float('grad_w') } : {}),
      ...(description.alpha_learnable ? { alphaGradient: golden.float('grad_alpha') } : {}),
    },
  };
}
