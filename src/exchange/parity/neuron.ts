import * as v from 'valibot';
import { number } from '../../base/files/shape.ts';
import type { NeuronSpec } from '../../network/spec.ts';
import { compareOne } from './compare.ts';
import { defineKind, remark } from './given-case.ts';
import { resetOf, resetPotential, surrogateKind } from './network.ts';

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
    const gradX = given.find('grad_x');
    yield compareOne('exact', { name: 'spikes', expected: given.find('spikes'), found: found(spikes) });
    // Vectors of LIF neurons may omit the potentials, as the original's do.
    if (learned || given.has('v_after')) {
      yield compareOne('potential', {
        name: 'v_after',
        expected: given.find('v_after'),
        found: found(potentials),
      });
    }
    yield compareOne('potential', { name: 'grad_x', expected: gradX, found: found(gradients.current) });
    if (logits !== undefined && gradients.logits !== undefined) {
      yield compareOne('sum', {
        name: 'grad_w',
        expected: given.find('grad_w'),
        found: { shape: logits.shape, data: gradients.logits },
        scale: summedMagnitude(gradients.current, logits.data.length),
      });
    }
    if (neuron.surrogate.learnable) {
      const expected = given.find('grad_alpha');
      yield compareOne('sum', {
        name: 'grad_alpha',
        expected,
        // One number, which PyTorch stores as a scalar or as a list of one.
        found: { shape: expected?.shape.length === 1 ? [1] : [], data: [gradients.alpha] },
        scale: summedMagnitude(gradients.current, 1),
      });
    }
  },
);

/**
 * The gradient of a shared parameter is a sum whose terms may cancel. They are about as large as the gradients by the current; at least a
 * thousandth of their sum can be expected to remain.
 */
function summedMagnitude(gradients: Float32Array, sharers: number): number {
  return gradients.reduce((sum, value) => sum + Math.abs(value), 0) / sharers / 1000;
}
