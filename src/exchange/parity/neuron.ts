import * as v from 'valibot';
import { number } from '../../base/files/shape.ts';
import type { NeuronSpec } from '../../network/spec.ts';
import { compareOne } from './compare.ts';
import { defineKind, remark } from './given-case.ts';
import { resetOf, resetPotential, surrogateKind } from './network.ts';
import { roundings, type Summed } from './tolerances.ts';

/** One isolated layer of neurons over T steps, forward and backward from `loss = Σ spikes · coef`. */
export const neuronKind = defineKind(
  {
    neuron: v.picklist(['PLIF', 'LIF']),
    per_neuron: v.optional(v.boolean(), false),
    tau: v.optional(number, 2),
    detach_reset: v.boolean(),
    v_reset: resetPotential,
    v_threshold: number,
    surrogate: surrogateKind,
    alpha: number,
    alpha_learnable: v.optional(v.boolean(), false),
    layout: remark,
    seed: remark,
  },
  async function* (given, description, engine) {
    const learned = description.neuron === 'PLIF';
    const neuron: NeuronSpec = {
      kind: learned ? 'plif' : 'lif',
      tau: {
        per: description.per_neuron ? 'neuron' : 'layer',
        mean: description.tau,
        std: 0,
      },
      threshold: description.v_threshold,
      reset: resetOf(description.v_reset, description.detach_reset),
      surrogate: {
        kind: description.surrogate,
        alpha: description.alpha,
        learnable: description.alpha_learnable,
      },
    };
    const x = given.floats('x');
    // As PyTorch stores w: [] per layer, [1, ...neurons] per neuron.
    const logits = learned
      ? given.floats('w', neuron.tau.per === 'layer' ? [] : [1, ...x.shape.slice(2)])
      : undefined;
    const { spikes, potentials, gradients } = await engine.runNeurons({
      neuron,
      shape: x.shape,
      current: x.data,
      coefficients: given.floats('coef', x.shape).data,
      ...(logits === undefined ? {} : { logits: logits.data }),
    });

    const found = (data: Float32Array) => ({ shape: x.shape, data });
    const terms = x.shape[0]! * roundings.neuronStep;
    yield compareOne({ name: 'spikes', expected: given.find('spikes'), found: found(spikes) });
    // Vectors of LIF neurons may omit the potentials, as the original's do.
    if (learned || given.has('v_after')) {
      yield compareOne({
        name: 'v_after',
        terms,
        expected: given.find('v_after'),
        found: found(potentials),
      });
    }
    yield compareOne({
      name: 'grad_x',
      terms,
      expected: given.find('grad_x'),
      found: found(gradients.current),
    });
    // The terms of a gradient by w or α are about ∂x · x; they may cancel.
    const squares = gradients.current.reduce((sum, value, i) => sum + (value * x.data[i]!) ** 2, 0);
    const sharedTerms = (sharers: number): Summed => ({
      terms: terms + x.data.length / sharers,
      scale: Math.sqrt(squares / sharers),
    });
    if (logits !== undefined && gradients.logits !== undefined) {
      yield compareOne({
        name: 'grad_w',
        ...sharedTerms(logits.data.length),
        expected: given.find('grad_w'),
        found: { shape: logits.shape, data: gradients.logits },
      });
    }
    if (neuron.surrogate.learnable) {
      const expected = given.find('grad_alpha');
      yield compareOne({
        name: 'grad_alpha',
        ...sharedTerms(1),
        expected,
        // One number, which PyTorch stores as a scalar or as a list of one.
        found: { shape: expected?.shape.length === 1 ? [1] : [], data: [gradients.alpha] },
      });
    }
  },
);
