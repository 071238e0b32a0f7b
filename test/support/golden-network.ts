import { type Architecture, buildNetwork } from '../../src/snn/networks.ts';
import type { NetworkSpec, Surrogate } from '../../src/snn/spec.ts';
import type { GoldenCase } from './golden.ts';
import { thesisNetwork } from './thesis-network.ts';

/** How index.json describes a network; what a case leaves out is as in the thesis. */
interface Description {
  readonly architecture?: Architecture;
  readonly cin: number;
  readonly ch: number;
  readonly hw: number;
  readonly layers?: number;
  readonly steps?: number;
  readonly hidden?: number;
  readonly classes: number;
  readonly per_neuron: boolean;
  readonly max_pool: boolean;
  readonly plif?: boolean;
  readonly detach?: boolean;
  readonly learn_alpha?: boolean;
  readonly surrogate?: Surrogate['kind'];
  readonly alpha?: number;
  /** null for a soft reset. */
  readonly v_reset?: number | null;
  readonly v_threshold?: number;
}

/** The network of a golden case. */
export function networkOf(golden: GoldenCase): NetworkSpec {
  const description = golden.description as unknown as Description;
  const { cin, ch, hw, classes, plif = true, detach = true, learn_alpha = false } = description;
  const { architecture = 'event-frames', layers, steps, hidden } = description;
  const { surrogate = 'atan', alpha = 2, v_reset = 0, v_threshold = 1 } = description;
  const { layers: _, ...thesis } = thesisNetwork;
  return buildNetwork({
    ...thesis,
    architecture,
    input: [cin, hw, hw],
    classes,
    channels: ch,
    ...(layers === undefined ? {} : { layers }),
    ...(steps === undefined ? {} : { steps }),
    ...(hidden === undefined ? {} : { hidden }),
    neuron: plif ? 'plif' : 'lif',
    tau: { per: description.per_neuron ? 'neuron' : 'layer', mean: 2, std: 0 },
    threshold: v_threshold,
    reset: v_reset === null ? { kind: 'soft', detach } : { kind: 'hard', detach, potential: v_reset },
    surrogate: { kind: surrogate, alpha, learnable: learn_alpha },
    pooling: description.max_pool ? 'max' : 'average',
  });
}
