import { listSynapses, type Synapses } from './cost.ts';
import {
  arrangeWeights,
  type Convolution,
  connect,
  convolve,
  countOperations,
  countVotes,
  normalise,
  type Pool,
  pool,
  readFrame,
  type Shape,
} from './maps.ts';
import { reset, restingPotential } from './neurons.ts';
import { tauShape } from './parameters.ts';
import { sigmoidSingle } from './single-precision.ts';
import { type LayerOf, type NetworkSpec, type Reset, repeatedSteps } from './spec.ts';
import { countElements, ShapeError, type State } from './tensor.ts';

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
  readonly reset: Reset;
}

/** A network that is ready to run. To change its neurons, copy it: `{ ...network, neurons }`. */
export interface ForwardNetwork {
  readonly spec: NetworkSpec;
  readonly neurons: readonly Neurons[];
  /** What runs at each step, in order, with the weights as maps.ts wants them. */
  readonly layers: readonly ForwardLayer[];
  /** Of the convolutions and linear layers. */
  readonly synapses: readonly Synapses[];
}

type ForwardLayer =
  | (Convolution & { readonly kind: 'conv' })
  | { readonly kind: 'batch-norm'; readonly scale: Float32Array; readonly shift: Float32Array }
  | { readonly kind: 'neuron' }
  | Pool
  | { readonly kind: 'linear'; readonly weights: Float32Array }
  | LayerOf<'vote'>;

/** What the neurons of a layer did. */
export interface LayerTrace {
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
  /** Effective synaptic operations of each convolution and linear layer at each step, [T, layers] (docs/cost.md). */
  readonly operations: Float64Array;
}

/** A float tensor of the state. @throws {ShapeError} if it is missing or has another number of values */
type FindTensor = (name: string, count: number) => Float32Array;

/**
 * Arranges the weights for `runForward`, folds batch norm into a scale and a shift, and computes every neuron's 1/τ.
 *
 * @param spec a network for event frames, made by `buildNetwork`
 * @throws {ShapeError} if the network repeats a still image, or a tensor is missing from the state or has another size
 */
export function prepareNetwork(spec: NetworkSpec, state: State): ForwardNetwork {
  if (repeatedSteps(spec) !== undefined)
    throw new ShapeError('forward pass: expected a network for event frames, got one for still images');
  const find = tensorFinder(state);
  const neurons: Neurons[] = [];
  /** Of the map that a layer gets; flattening only renames its values. */
  let shape: Shape = spec.input;
  const layers = spec.layers.flatMap((layer, i): ForwardLayer | [] => {
    const input = shape;
    const [channels, height, width] = input;
    switch (layer.kind) {
      case 'conv': {
        shape = [layer.outChannels, height, width];
        const weights = find(`${layer.name}.weight`, layer.outChannels * channels * 9);
        return {
          kind: 'conv',
          shape: input,
          weights: arrangeWeights(weights, channels, 9),
          readsFrames: i === 0,
        };
      }
      case 'batch-norm': {
        const { scale, shift } = foldNorm(layer, find);
        return { kind: 'batch-norm', scale: Float32Array.from(scale), shift };
      }
      case 'neuron': {
        const { threshold, reset } = layer.neuron;
        neurons.push({ shape, leaks: listLeaks(layer, find), threshold, reset });
        return { kind: 'neuron' };
      }
      case 'pool':
        shape = [channels, Math.floor(height / layer.size), Math.floor(width / layer.size)];
        return { ...layer, shape: input };
      case 'linear': {
        shape = [layer.outFeatures, 1, 1];
        const weights = find(`${layer.name}.weight`, layer.inFeatures * layer.outFeatures);
        return { kind: 'linear', weights: arrangeWeights(weights, channels, height * width) };
      }
      case 'vote':
        return layer;
      default: // Dropout does nothing outside training.
        return [];
    }
  });
  return { spec, neurons, layers, synapses: listSynapses(spec) };
}

/** Finds the float tensors of a state. */
export function tensorFinder(state: State): FindTensor {
  return (name, count) => {
    const tensor = state.get(name);
    if (tensor?.dtype === 'F32' && tensor.data.length === count) return tensor.data;
    const found = tensor === undefined ? 'no such tensor' : `${tensor.data.length} of type ${tensor.dtype}`;
    throw new ShapeError(`forward pass: "${name}" must have ${count} values of type F32, found ${found}`);
  };
}

/** Batch norm in evaluation, with its running statistics: `x = y · scale + shift`, both [C]. */
export function foldNorm({ name, channels, epsilon }: LayerOf<'batch-norm'>, find: FindTensor) {
  const [weight, bias, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
    find(`${name}.${part}`, channels),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const scale = Float64Array.from(weight, (w, c) => w / Math.sqrt(variance[c]! + epsilon));
  return { scale, shift: bias.map((b, c) => b - mean[c]! * scale[c]!) };
}

/** 1/τ of every neuron, [C, H, W]. */
export function listLeaks(layer: LayerOf<'neuron'>, find: FindTensor): Float32Array {
  const { per, mean } = layer.neuron.tau;
  const leaks = new Float32Array(countElements(layer.shape));
  const shape = tauShape(layer);
  if (shape === undefined) return leaks.fill(1 / mean);
  const logits = find(`${layer.name}.w`, countElements(shape));
  const distinct = logits.map(per === 'layer' ? (w) => 1 / (1 + Math.exp(-w)) : sigmoidSingle);
  const sharing = leaks.length / distinct.length;
  return leaks.map((_, i) => distinct[Math.floor(i / sharing)]!);
}

/**
 * Shows a clip to a network: at each step, a frame runs through all layers. Only the neurons' potentials stay for the next step.
 *
 * @param frames [T, P, H, W]
 * @param steps T
 * @throws {ShapeError} if the frames have another length
 */
export function runForward(network: ForwardNetwork, frames: ArrayLike<number>, steps: number): Trace {
  const { spec, neurons, layers, synapses } = network;
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
  const potentials = neurons.map((one) => new Float32Array(one.leaks.length).fill(restingPotential(one)));
  for (let step = 0; step < steps; step++) {
    let map = readFrame(spec.input, frames, step * frameLength);
    let [weighted, spiking] = [0, 0];
    for (const layer of layers) {
      if (layer.kind === 'conv' || layer.kind === 'linear') {
        trace.operations[step * synapses.length + weighted] = countOperations(synapses[weighted]!, map);
        weighted++;
      }
      switch (layer.kind) {
        case 'conv':
          map = convolve(layer, map);
          break;
        case 'batch-norm':
          normalise(map, layer.scale, layer.shift);
          break;
        case 'neuron':
          map = fire(neurons[spiking]!, map, potentials[spiking]!, trace.layers[spiking]!, step);
          spiking++;
          break;
        case 'pool':
          map = pool(layer, map);
          break;
        case 'linear':
          map = connect(layer.weights, map);
          break;
        case 'vote':
          trace.outputs.set(countVotes(map, layer.group), step * spec.classes);
      }
    }
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
  const { leaks, shape } = neurons;
  const { threshold, hard, rest } = readThreshold(neurons);
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
      potentials[i] = reset(h, threshold, hard, rest);
      charged[step * leaks.length + i] = h;
      if (h < threshold) continue;
      spikes[step * leaks.length + i] = 1;
      map[at] = 1;
    }
  }
  return map;
}

/** In single precision, as potentials are. */
function readThreshold(neurons: Neurons) {
  return {
    threshold: round(neurons.threshold),
    hard: neurons.reset.kind === 'hard',
    rest: round(restingPotential(neurons)),
  };
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
  const { threshold, hard, rest } = readThreshold(neurons);
  const places = neurons.leaks.length;
  const steps = trace.charged.length / places;
  const charged = new Float32Array(steps).map((_, step) => trace.charged[step * places + index]!);
  const potential = charged.map((h) => reset(h, threshold, hard, rest));
  const current = charged.map((h, step) => {
    const v = potential[step - 1] ?? rest;
    return (h - v) / neurons.leaks[index]! + (v - rest);
  });
  const spikes = new Uint8Array(steps).map((_, step) => trace.spikes[step * places + index]!);
  return { current, charged, potential, spikes };
}
