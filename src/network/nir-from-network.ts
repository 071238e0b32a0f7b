import { unreachable } from '../base/errors.ts';
import { type NirArray, type NirGraph, type NirNode, nirNumber } from '../formats/nir-graph.ts';
import { countElements, ShapeError, type State } from '../formats/tensor.ts';
import { findTensor, foldNorm, listLeaks } from './forward.ts';
import { restingPotential } from './neurons.ts';
import { type LayerOf, type NetworkSpec, outputShapes } from './spec.ts';

/**
 * A trained network as a NIR graph, in evaluation mode, with time in steps: its neurons do what those of `forward.ts` do if a simulator
 * takes Euler steps of length 1.
 *
 * - Batch norm with its running statistics becomes part of the convolution before it.
 * - NIR fires above the threshold, this project at it: thresholds are the next smaller single.
 * - Max pooling of spikes, unknown to NIR, is their sum in an integrate-and-fire unit that any spike makes fire.
 * - Votes are a linear layer: each output is the mean of a class's neurons. Dropout, and the repetition of still images, are left out.
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
    // Dots would be taken for modules within modules.
    const plain = name.replaceAll('.', '_');
    nodes.set(plain, node);
    edges.push([last, plain]);
    last = plain;
  };
  spec.layers.forEach((layer, i) => {
    const input = shapes[i - 1] ?? spec.input;
    const output = shapes[i] ?? input;
    switch (layer.kind) {
      case 'conv': {
        const next = spec.layers[i + 1];
        const norm = next?.kind === 'batch-norm' ? foldNorm(next, state) : undefined;
        const { inChannels, outChannels, kernel, padding } = layer;
        const size = inChannels * kernel ** 2;
        const shape = [outChannels, inChannels, kernel, kernel];
        const weight = findTensor(state, `${layer.name}.weight`, shape);
        add(layer.name, {
          type: 'Conv2d',
          input_shape: whole(...input.slice(1)),
          weight: {
            shape,
            data: norm === undefined ? weight : weight.map((w, k) => w * norm.scale[Math.floor(k / size)]!),
          },
          bias: norm === undefined ? full([outChannels], 0) : { shape: [outChannels], data: norm.shift },
          stride: whole(1, 1),
          padding: whole(padding, padding),
          dilation: whole(1, 1),
          groups: nirNumber(1),
        });
        break;
      }
      case 'neuron':
        add(layer.name, neuronNode(layer, listLeaks(layer, state)));
        break;
      case 'pool': {
        const window = { kernel_size: whole(layer.size, layer.size), stride: whole(layer.size, layer.size) };
        const name = `pool_${i}`;
        if (layer.mode === 'average') {
          add(name, { type: 'AvgPool2d', ...window, padding: whole(0, 0) });
          break;
        }
        add(`${name}_sum`, { type: 'SumPool2d', ...window, padding: whole(0, 0) });
        const [r, v_threshold, v_reset] = [full(output, 1), full(output, 0.5), full(output, 0)];
        add(name, { type: 'IF', r, v_threshold, v_reset });
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
