import type { Fields } from '../formats/fields.ts';
import { isPossibleTau } from '../snn/network-config.ts';
import type { NeuronSpec } from '../snn/spec.ts';
import { compareOne } from './compare.ts';
import { type CaseKind, checkFilled, type FloatTensor, type GivenCase } from './given-case.ts';

/** One isolated layer of neurons over T steps, forward and backward from `loss = Σ spikes · coef`. */
export const neuronKind: CaseKind = {
  keys: [
    'neuron',
    'per_neuron',
    'tau',
    'detach_reset',
    'v_reset',
    'v_threshold',
    'surrogate',
    'alpha',
    'alpha_learnable',
    'layout',
    'seed',
  ],
  async *compare(given, engine) {
    const { description } = given;
    const learned = description.choice('neuron', ['PLIF', 'LIF']) === 'PLIF';
    const neuron = readNeuron(description, learned);
    const x = given.floats('x');
    checkLayout(given, x);
    const logits = learned ? readLogits(given, neuron, x) : undefined;
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
};

function readNeuron(description: Fields, learned: boolean): NeuronSpec {
  const perNeuron = description.has('per_neuron') && description.flag('per_neuron');
  const detach = description.flag('detach_reset');
  const soft = description.keys().includes('v_reset') && !description.has('v_reset');
  if (!learned && perNeuron)
    description.fail('per_neuron', 'must be false for LIF neurons: their τ is fixed');
  return {
    kind: learned ? 'plif' : 'lif',
    tau: {
      per: perNeuron ? 'neuron' : 'layer',
      mean: learned && !description.has('tau') ? 2 : readTau(description, learned ? 'plif' : 'lif'),
      std: 0,
    },
    threshold: description.number('v_threshold'),
    reset: soft
      ? { kind: 'soft', detach }
      : { kind: 'hard', potential: description.number('v_reset'), detach },
    surrogate: {
      kind: description.choice('surrogate', ['atan', 'sigmoid', 'triangle']),
      alpha: description.number('alpha'),
      learnable: description.has('alpha_learnable') && description.flag('alpha_learnable'),
    },
  };
}

function readTau(description: Fields, kind: NeuronSpec['kind']): number {
  const tau = description.number('tau');
  if (!isPossibleTau(kind, tau))
    description.fail('tau', `must be more than 1 time step, or 1 for LIF, found ${tau}`);
  return tau;
}

/** Checks x against [T, N, ...neurons], or the description's `layout`: `T,N,C,H,W`. */
function checkLayout(given: GivenCase, x: FloatTensor): void {
  checkFilled('x', x.shape);
  const layout = given.description.has('layout') ? given.description.text('layout') : 'T,N';
  const dimensions = layout.split(',').map((name) => name.trim());
  if (dimensions[0] !== 'T' || dimensions[1] !== 'N') {
    given.description.fail('layout', `must begin with T,N, found "${layout}"`);
  }
  if (x.shape.length < 3 || (given.description.has('layout') && x.shape.length !== dimensions.length)) {
    given.fail(`tensor "x" has shape [${x.shape.join(', ')}], expected [${layout}, …]`);
  }
}

/** w as PyTorch stores it: [] per layer, [1, ...neurons] per neuron. */
function readLogits(given: GivenCase, neuron: NeuronSpec, x: FloatTensor): FloatTensor {
  return given.floats('w', neuron.tau.per === 'layer' ? [] : [1, ...x.shape.slice(2)]);
}

/**
 * The gradient of a shared parameter is a sum whose terms may cancel. They are about as large as the gradients by the current; at least a
 * thousandth of their sum can be expected to remain.
 */
function summedMagnitude(gradients: Float32Array, sharers: number): number {
  return gradients.reduce((sum, value) => sum + Math.abs(value), 0) / sharers / 1000;
}
