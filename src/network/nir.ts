import { unreachable } from '../base/errors.ts';
import { type NirArray, type NirContent, type NirGraph, type NirNode, nirNumber } from '../formats/nir.ts';
import { countElements, ShapeError, type State, type Tensor } from '../formats/tensor.ts';
import { findTensor, foldNorm, listLeaks } from './forward.ts';
import { logitOfTau, restingPotential } from './neurons.ts';
import { type Layer, type LayerOf, type NetworkSpec, outputShapes, stateEntries } from './spec.ts';

/**
 * A trained network as a NIR graph, in evaluation mode, with time in steps: its neurons do what those of `forward.ts` do if a simulator
 * takes Euler steps of length 1.
 *
 * - Batch norm with its running statistics becomes part of the convolution before it.
 * - NIR fires above the threshold, this project at it: thresholds are the next smaller single.
 * - Max pooling of spikes, unknown to NIR, is their sum in an integrate-and-fire unit that any spike makes fire.
 * - Votes are a linear layer: each output is the mean of a class's neurons. Dropout, and the repetition of still images, are left out.
 * - Recurrence is a linear layer from neurons back to them, whose output they get in the next step.
 *
 * @param state as checked against `spec`
 * @throws {ShapeError} for a soft reset, which NIR cannot express
 */
export function nirFromNetwork(
  spec: NetworkSpec,
  state: State,
  metadata: NirGraph['metadata'] = {},
): NirGraph {
  const shapes = outputShapes(spec);
  const nodes = new Map<string, NirNode>([['input', { type: 'Input', shape: whole(...spec.input) }]]);
  const edges: [string, string][] = [];
  let last = 'input';
  const add = (name: string, node: NirNode): void => {
    const plain = nodeName(name);
    nodes.set(plain, node);
    edges.push([last, plain]);
    last = plain;
  };
  spec.layers.forEach((layer, i) => {
    const input = shapes[i - 1] ?? spec.input;
    const output = shapes[i] ?? input;
    switch (layer.kind) {
      case 'conv':
        add(layer.name, convolutionNode(layer, spec.layers[i + 1], input, state));
        break;
      case 'neuron':
        add(layer.name, neuronNode(layer, listLeaks(layer, state)));
        if (layer.recurrent === true) {
          const neurons = last;
          const shape = [...layer.shape, ...layer.shape];
          const data = findTensor(state, `${layer.name}.recurrent.weight`, shape);
          add(recurrenceOf(layer), { type: 'Linear', weight: { shape, data } });
          edges.push([last, neurons]);
          last = neurons;
        }
        break;
      case 'pool': {
        const size = whole(layer.size, layer.size);
        const window = { kernel_size: size, stride: size, padding: whole(0, 0) };
        if (layer.mode === 'average') add(`pool_${i}`, { type: 'AvgPool2d', ...window });
        else {
          add(`pool_${i}_sum`, { type: 'SumPool2d', ...window });
          const [r, v_threshold, v_reset] = [full(output, 1), full(output, 0.5), full(output, 0)];
          add(`pool_${i}`, { type: 'IF', r, v_threshold, v_reset });
        }
        break;
      }
      case 'flatten':
        // Behind a linear layer, or without convolutions, too, so that programs need not treat vectors differently.
        add('flatten', {
          type: 'Flatten',
          input_type: whole(...input),
          start_dim: nirNumber(0),
          end_dim: nirNumber(-1),
        });
        break;
      case 'linear': {
        const shape = [layer.outFeatures, layer.inFeatures];
        const data = findTensor(state, `${layer.name}.weight`, shape);
        add(layer.name, { type: 'Linear', weight: { shape, data } });
        break;
      }
      case 'vote': {
        const [voters] = input as [number];
        const data = new Float32Array(spec.classes * voters);
        for (let v = 0; v < voters; v++) data[Math.floor(v / layer.group) * voters + v] = 1 / layer.group;
        add('vote', { type: 'Linear', weight: { shape: [spec.classes, voters], data } });
        break;
      }
      case 'batch-norm': // in the convolution
      case 'dropout':
      case 'repeat':
        break;
      default:
        unreachable(layer);
    }
  });
  add('output', { type: 'Output', shape: whole(spec.classes) });
  return { nodes, edges, metadata };
}

/** Dots would be taken for modules within modules. */
const nodeName = (layer: string): string => layer.replaceAll('.', '_');

const recurrenceOf = ({ name }: LayerOf<'neuron'>): string => `${name}.recurrent`;

/** @param next its batch norm, if there is one @param input [C, H, W] */
function convolutionNode(
  { name, inChannels, outChannels, kernel, padding }: LayerOf<'conv'>,
  next: Layer | undefined,
  input: readonly number[],
  state: State,
): NirNode {
  const norm = next?.kind === 'batch-norm' ? foldNorm(next, state) : undefined;
  const size = inChannels * kernel ** 2;
  const shape = [outChannels, inChannels, kernel, kernel];
  const weight = findTensor(state, `${name}.weight`, shape);
  return {
    type: 'Conv2d',
    input_shape: whole(...input.slice(1)),
    weight: {
      shape,
      data: norm === undefined ? weight : weight.map((w, k) => w * norm.scale[Math.floor(k / size)]!),
    },
    bias: norm === undefined ? full([outChannels], 0) : { shape: [outChannels], data: norm.shift },
    ...{ stride: whole(1, 1), padding: whole(padding, padding), dilation: whole(1, 1) },
    groups: nirNumber(1),
  };
}

/** @param leaks 1/τ of each neuron */
function neuronNode({ name, neuron, shape }: LayerOf<'neuron'>, leaks: Float32Array): NirNode {
  if (neuron.reset.kind === 'soft')
    throw new ShapeError(`${name}: NIR has no reset that subtracts the threshold`);
  const rest = full(shape, restingPotential(neuron));
  return {
    type: 'LIF',
    tau: { shape, data: leaks.map((leak) => 1 / leak) },
    r: full(shape, 1),
    v_leak: rest,
    // The next smaller single: half a unit in the last place less, rounded to singles.
    v_threshold: full(shape, Math.fround(neuron.threshold) * (1 - 2 ** -24)),
    v_reset: rest,
  };
}

function full(shape: readonly number[], value: number): NirArray {
  return { shape, data: new Float32Array(countElements(shape)).fill(value) };
}

function whole(...numbers: readonly number[]): NirArray {
  return { shape: [numbers.length], data: Float32Array.from(numbers) };
}

/**
 * The state that `nirFromNetwork` wrote: what its batch norm did is in the convolutions, so it does nothing here. What only training uses,
 * such as the slope of a surrogate, is that of the network's description.
 *
 * @throws {ShapeError} if a parameter is missing, or has another number of values than the network's
 */
export function stateFromNir(spec: NetworkSpec, { nodes }: NirContent): State {
  const read = (layer: string, parameter: string, count: number): Float32Array => {
    const found = nodes.get(nodeName(layer))?.[parameter]?.data;
    if (found?.length === count) return found;
    const problem = found === undefined ? 'none' : `${found.length} values`;
    throw new ShapeError(
      `node "${nodeName(layer)}": expected ${count} values "${parameter}", found ${problem}`,
    );
  };
  const state = new Map<string, Tensor>();
  for (const [i, layer] of spec.layers.entries()) {
    for (const { name, shape, dtype } of stateEntries({ ...spec, layers: [layer] })) {
      const count = countElements(shape);
      const part = name.slice(name.lastIndexOf('.') + 1);
      let data: Float32Array = new Float32Array(count);
      if (layer.kind === 'conv' || layer.kind === 'linear') data = read(layer.name, part, count);
      else if (layer.kind === 'neuron' && part === 'alpha') data.fill(layer.neuron.surrogate.alpha);
      else if (layer.kind === 'neuron' && part === 'weight') data = read(recurrenceOf(layer), part, count);
      else if (layer.kind === 'neuron') {
        const taus = read(layer.name, 'tau', countElements(layer.shape));
        data = data.map((_, k) => logitOfTau(taus[(k * taus.length) / count]!));
      } else if (layer.kind === 'batch-norm') {
        const before = spec.layers[i - 1];
        if (part === 'weight') data.fill(Math.sqrt(1 + layer.epsilon));
        if (part === 'running_var') data.fill(1);
        if (part === 'bias' && before?.kind === 'conv') data = read(before.name, 'bias', count);
      }
      state.set(
        name,
        dtype === 'I64' ? { dtype, shape, data: new BigInt64Array(count) } : { dtype, shape, data },
      );
    }
  }
  return state;
}
