import { unreachable } from '../base/errors.ts';
import { countElements, ShapeError, type State } from '../formats/tensor.ts';
import { listSynapses } from './cost.ts';
import {
  arrangeWeights,
  connect,
  convolveMap,
  countOperations,
  countVotes,
  normaliseMap,
  poolMap,
  readFrame,
  type Shape,
} from './maps.ts';
import { reset, restingPotential } from './neurons.ts';
import { sigmoidSingle } from './single-precision.ts';
import {
  type LayerOf,
  type NetworkSpec,
  type Reset,
  repeatedSteps,
  spikingLayers,
  stateEntries,
  tauShape,
} from './spec.ts';

/*
 * A trained network at work, in plain loops: from the frames of one clip to everything that its neurons did.
 *
 * The WebAssembly engine rounds all sums to single precision in the same order, so spikes are the same to the bit. One case is
 * different: where at least 33 % of a convolution's inputs are spikes, and behind average pooling, the engine uses Winograd's algorithm,
 * whose sums differ in their last bits. A neuron that is just at its threshold may then spike in only one of the two.
 */
const round = Math.fround;

/** The neurons of a spiking layer. */
export interface Neurons {
  /** [C, H, W]; behind a linear layer [F, 1, 1]. */
  readonly shape: Shape;
  /** 1/τ of each neuron, [C, H, W], also where neurons share a τ. */
  readonly leaks: Float32Array;
  readonly threshold: number;
  readonly reset: Reset['kind'];
  /** Where potentials start, and where a hard reset takes them. */
  readonly rest: number;
}

/** A network that is ready to run. To change its neurons, copy it: `{ ...network, neurons }`. */
export interface ForwardNetwork {
  readonly spec: NetworkSpec;
  readonly state: State;
  /** Of each spiking layer. */
  readonly neurons: readonly Neurons[];
}

/** What the neurons of a layer did. */
interface LayerTrace {
  /** Membrane potential before the reset, h, [T, C, H, W]. */
  readonly charged: Float32Array;
  /** 1 where a neuron fired: `h ≥ threshold`, [T, C, H, W]. */
  readonly spikes: Uint8Array;
}

/** Everything that happened in a network while it saw one clip. */
export interface Trace {
  readonly steps: number;
  /** One for each spiking layer. */
  readonly layers: readonly LayerTrace[];
  /** Output of the votes at each step, [T, classes]; a class's score up to step t is the mean of the first t. */
  readonly outputs: Float32Array;
  /** Effective synaptic operations of each of `listSynapses` at each step, [T, synapses] (docs/cost.md). */
  readonly operations: Float64Array;
}

/**
 * Checks a state, and computes every neuron's 1/τ.
 *
 * @param spec a network for event frames, made by `buildNetwork`
 * @throws {ShapeError} if the network repeats a still image, or a tensor is missing from the state or has another shape
 */
export function prepareNetwork(spec: NetworkSpec, state: State): ForwardNetwork {
  if (repeatedSteps(spec) !== undefined)
    throw new ShapeError('forward pass: expected a network for event frames, got one for still images');
  for (const { name, shape, dtype } of stateEntries(spec))
    if (dtype === 'F32') findTensor(state, name, shape);
  const neurons = spikingLayers(spec).map((layer): Neurons => {
    const [channels = 1, height = 1, width = 1] = layer.shape;
    const { threshold, reset } = layer.neuron;
    const [leaks, rest] = [listLeaks(layer, state), round(restingPotential(layer.neuron))];
    return { shape: [channels, height, width], leaks, threshold, reset: reset.kind, rest };
  });
  return { spec, state, neurons };
}

/** What each layer but neurons does with a map at each step. Batch norm is folded into a scale and a shift. */
function prepareLayers(spec: NetworkSpec, state: State): ((map: Float32Array) => Float32Array)[] {
  /** Of the map that a layer gets; flattening only renames its values. */
  let shape: Shape = spec.input;
  return spec.layers.map((layer, i) => {
    const input = shape;
    const [channels, height, width] = input;
    switch (layer.kind) {
      case 'conv': {
        shape = [layer.outChannels, height, width];
        const weights = findTensor(state, `${layer.name}.weight`, [layer.outChannels, channels, 3, 3]);
        const arranged = arrangeWeights(weights, channels, 9);
        return (map) => convolveMap({ shape: input, weights: arranged, readsFrames: i === 0 }, map);
      }
      case 'batch-norm': {
        const { scale, shift } = foldNorm(layer, state);
        const single = Float32Array.from(scale);
        return (map) => normaliseMap(map, single, shift);
      }
      case 'pool':
        shape = [channels, Math.floor(height / layer.size), Math.floor(width / layer.size)];
        return (map) => poolMap({ ...layer, shape: input }, map);
      case 'linear': {
        shape = [layer.outFeatures, 1, 1];
        const weights = findTensor(state, `${layer.name}.weight`, [layer.outFeatures, layer.inFeatures]);
        const arranged = arrangeWeights(weights, channels, height * width);
        return (map) => connect(arranged, map);
      }
      case 'vote':
        return (map) => countVotes(map, layer.group);
      case 'flatten':
      case 'repeat':
      case 'dropout': // It does nothing outside training.
      case 'neuron': // Neurons need more than a map.
        return (map) => map;
      default:
        return unreachable(layer);
    }
  });
}

/** The weights from a layer's spikes to its own neurons, [from, to]; undefined if it is not recurrent. */
function prepareRecurrence({ name, shape, recurrent }: LayerOf<'neuron'>, state: State) {
  if (recurrent !== true) return undefined;
  const count = countElements(shape);
  return arrangeWeights(findTensor(state, `${name}.recurrent.weight`, [count, count]), count, 1);
}

/** A float tensor of the state. @throws {ShapeError} if it is missing or has another shape */
export function findTensor(state: State, name: string, shape: readonly number[]): Float32Array {
  const tensor = state.get(name);
  if (tensor?.dtype === 'F32' && tensor.shape.join() === shape.join()) return tensor.data;
  const found = tensor === undefined ? 'no such tensor' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
  throw new ShapeError(`forward pass: "${name}": expected F32 [${shape.join(', ')}], found ${found}`);
}

/** Batch norm in evaluation, with its running statistics: `x = y · scale + shift`, both [C]. */
export function foldNorm({ name, channels, epsilon }: LayerOf<'batch-norm'>, state: State) {
  const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
    findTensor(state, `${name}.${part}`, [channels]),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const scale = Float64Array.from(weight, (w, c) => w / Math.sqrt(variance[c]! + epsilon));
  return { scale, shift: bias.map((b, c) => b - mean[c]! * scale[c]!) };
}

/** 1/τ of every neuron, [C, H, W]. */
export function listLeaks(layer: LayerOf<'neuron'>, state: State): Float32Array {
  const { per, mean } = layer.neuron.tau;
  const leaks = new Float32Array(countElements(layer.shape));
  const shape = tauShape(layer);
  if (shape === undefined) return leaks.fill(1 / mean);
  const logits = findTensor(state, `${layer.name}.w`, shape);
  const distinct = logits.map(per === 'layer' ? (w) => 1 / (1 + Math.exp(-w)) : sigmoidSingle);
  const sharing = leaks.length / distinct.length;
  return leaks.map((_, i) => distinct[Math.floor(i / sharing)]!);
}

/**
 * Shows a clip to a network: at each step, a frame runs through all layers. Only the neurons' potentials and, where they are recurrent, their
 * spikes stay for the next step.
 *
 * @param frames [T, P, H, W]
 * @param steps T
 * @throws {ShapeError} if the frames have another length
 */
export function runForward(network: ForwardNetwork, frames: ArrayLike<number>, steps: number): Trace {
  const { spec, state, neurons } = network;
  const layers = prepareLayers(spec, state);
  const synapses = listSynapses(spec);
  const frameLength = countElements(spec.input);
  if (frames.length !== steps * frameLength) {
    const wanted = `[${steps}, ${spec.input.join(', ')}]`;
    throw new ShapeError(`frames: ${wanted} needs ${steps * frameLength} values, got ${frames.length}`);
  }
  const trace = {
    steps,
    layers: neurons.map(({ leaks }) => ({
      charged: new Float32Array(steps * leaks.length),
      spikes: new Uint8Array(steps * leaks.length),
    })),
    outputs: new Float32Array(steps * spec.classes),
    operations: new Float64Array(steps * synapses.length),
  };
  const potentials = neurons.map(({ leaks, rest }) => new Float32Array(leaks.length).fill(rest));
  const recurrences = spikingLayers(spec).map((layer) => prepareRecurrence(layer, state));
  /** Of the step before. */
  const spikes: Float32Array[] = neurons.map(({ leaks }) => new Float32Array(leaks.length));
  for (let step = 0; step < steps; step++) {
    let map = readFrame(spec.input, frames, step * frameLength);
    let [weighted, spiking] = [0, 0];
    const count = (input: Float32Array) => {
      trace.operations[step * synapses.length + weighted] = countOperations(synapses[weighted]!, input);
      weighted++;
    };
    for (const [i, { kind }] of spec.layers.entries()) {
      if (kind === 'conv' || kind === 'linear') count(map);
      if (kind === 'neuron') {
        const [weights, before] = [recurrences[spiking], spikes[spiking]!];
        if (weights !== undefined) {
          count(before);
          const fed = connect(weights, before);
          map = map.map((current, k) => current + fed[k]!);
        }
        map = fire(neurons[spiking]!, map, potentials[spiking]!, trace.layers[spiking]!, step);
        spikes[spiking] = map;
        spiking++;
      } else map = layers[i]!(map);
    }
    trace.outputs.set(map, step * spec.classes);
  }
  return trace;
}

/**
 * One step of a layer's neurons: `h = v + (x − (v − rest)) / τ`, a spike where `h ≥ threshold`, and the reset (neurons.ts).
 *
 * @param currents x, [H, W, C]
 * @param potentials v of the step before, [C, H, W]; becomes that of this step
 * @param trace receives the step
 * @returns the spikes as a map, [H, W, C]
 */
function fire(
  neurons: Neurons,
  currents: Float32Array,
  potentials: Float32Array,
  { charged, spikes }: LayerTrace,
  step: number,
): Float32Array {
  const { leaks, shape, rest } = neurons;
  const [threshold, isHard] = [round(neurons.threshold), neurons.reset === 'hard'];
  const [channels, height, width] = shape;
  const pixels = height * width;
  const map = new Float32Array(leaks.length);
  for (let c = 0; c < channels; c++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      const i = c * pixels + pixel;
      const at = pixel * channels + c;
      const v = potentials[i]!;
      const drive = round(currents[at]! - round(v - rest));
      const h = round(round(drive * leaks[i]!) + v);
      potentials[i] = reset(h, threshold, isHard, rest);
      charged[step * leaks.length + i] = h;
      if (h < threshold) continue;
      spikes[step * leaks.length + i] = 1;
      map[at] = 1;
    }
  }
  return map;
}

/** One neuron over time. */
export interface NeuronTrace {
  /** Input current x, h, v after the reset, and spikes, each [T]. */
  readonly current: Float32Array;
  readonly charged: Float32Array;
  readonly potential: Float32Array;
  readonly spikes: Uint8Array;
}

/**
 * What a neuron got and did. The current is found from the potentials, `x = (h − v) · τ + (v − rest)`, so it has rounding errors.
 *
 * @param index place of the neuron in [C, H, W]
 */
export function traceNeuron(neurons: Neurons, trace: LayerTrace, index: number): NeuronTrace {
  const { rest } = neurons;
  const [threshold, isHard] = [round(neurons.threshold), neurons.reset === 'hard'];
  const places = neurons.leaks.length;
  const steps = trace.charged.length / places;
  const charged = new Float32Array(steps).map((_, step) => trace.charged[step * places + index]!);
  const potential = charged.map((h) => reset(h, threshold, isHard, rest));
  const current = charged.map((h, step) => {
    const v = potential[step - 1] ?? rest;
    return (h - v) / neurons.leaks[index]! + (v - rest);
  });
  const spikes = new Uint8Array(steps).map((_, step) => trace.spikes[step * places + index]!);
  return { current, charged, potential, spikes };
}
