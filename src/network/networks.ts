import { countElements, ShapeError } from '../formats/tensor.ts';
import {
  type Architecture,
  checkConfig,
  type NetworkConfig,
  networkDefaults,
  neuronSpec,
} from './network-config.ts';
import { type Layer, type NetworkSpec, stateEntries } from './spec.ts';

export type { Architecture, NetworkConfig } from './network-config.ts';

const layersOf: Readonly<Record<Architecture, (config: NetworkConfig) => readonly Layer[]>> = {
  'event-frames': eventFrameLayers,
  mnist: mnistLayers,
  cifar10: cifar10Layers,
};

/** The most values that a tensor may have, so that a signed 32-bit integer can index it in every engine. */
const mostElements = 2 ** 31 - 1;

/**
 * Builds the network that a configuration describes. docs/networks.md draws the three architectures.
 *
 * @throws {ShapeError} if a number is impossible, a key belongs to another architecture, it does not accept the input's size, or one of
 *   its tensors is too large
 */
export function buildNetwork(config: NetworkConfig): NetworkSpec {
  const { architecture = 'event-frames', input, classes, init } = config;
  checkConfig(config);
  const spec: NetworkSpec = {
    input,
    classes,
    layers: layersOf[architecture](config),
    ...(init === undefined ? {} : { init }),
  };
  checkSizes(spec);
  return spec;
}

function checkSizes(spec: NetworkSpec): void {
  const tooLarge = stateEntries(spec).find(({ shape }) => countElements(shape) > mostElements);
  if (tooLarge === undefined) return;
  const { name, shape } = tooLarge;
  const count = countElements(shape);
  const shown = count > Number.MAX_SAFE_INTEGER ? count.toExponential(1) : count.toLocaleString('en');
  throw new ShapeError(
    `network: ${name} of shape [${shape.join(', ')}] would have ${shown} values; ` +
      `at most ${mostElements.toLocaleString('en')} fit`,
    { key: 'channels' },
  );
}

/**
 * The layers for event frames (DVS128 Gesture, N-MNIST, CIFAR10-DVS), which all run at every time step:
 * `{conv 3x3 - batch norm - neuron - pool 2x2} x layers - dropout - {linear - neuron - dropout} x hidden - linear - neuron - vote`.
 * With `layers: 0`, the first linear layer reads the frames' counts. With `recurrent`, the hidden neurons also read their own spikes.
 *
 * @throws {ShapeError} if `layers` is missing or too large for the frame, or if `steps` is given, as T is the frames'
 * @see Fang et al. 2021 (arXiv 2007.05785); Pazderka 2024
 */
function eventFrameLayers(config: NetworkConfig): readonly Layer[] {
  const blocks = countBlocks(config);
  const stack = new LayerStack(config).section('conv');
  for (let block = 0; block < blocks; block++) stack.convolve().normalise().fire().pool();
  stack.section('fc').flatten().drop();
  const { hidden = Math.max(1, Math.floor(stack.features / 4)) } = config;
  for (const width of [hidden].flat()) stack.hide(width).drop();
  return stack.connectOutputs().fire().vote().layers;
}

/** How often a frame can be halved: the most blocks that fit. */
function mostBlocks(height: number, width: number): number {
  return Math.floor(Math.log2(Math.min(height, width)));
}

/** @returns `layers`, checked */
function countBlocks({ input: [, height, width], layers, steps }: NetworkConfig): number {
  if (steps !== undefined) {
    throw new ShapeError(`network: steps is for still images, as event frames have their own; got ${steps}`, {
      key: 'steps',
    });
  }
  if (layers === undefined)
    throw new ShapeError('network: event-frames needs layers, the number of blocks', { key: 'layers' });
  const most = mostBlocks(height, width);
  if (layers <= most) return layers;
  throw new ShapeError(
    `network: ${layers} ${layers === 1 ? 'layer halves' : 'layers halve'} a frame of ${height} x ${width} to nothing; at most ${most} fit`,
    { key: 'layers' },
  );
}

/*
 * The networks for still images, which turn the image into spikes themselves: a first convolution and its batch norm run
 * once, and the neurons after them get the result as their input current at each of T steps.
 */

/** The default width of the hidden linear layer of still images. */
const defaultHidden = 2048;

/**
 * MNIST and FashionMNIST, [1, 28, 28]: `conv - batch norm` once, then at every step
 * `neuron - pool - conv - batch norm - neuron - pool - dropout - linear - neuron - dropout - linear - neuron - vote`.
 *
 * @throws {ShapeError} if the image has another size, `steps` is missing, or `layers` is given
 * @see Fang et al. 2021 (arXiv 2007.05785)
 */
function mnistLayers(config: NetworkConfig): readonly Layer[] {
  const steps = countSteps(config, [1, 28, 28]);
  const { hidden = defaultHidden } = config;
  const stack = new LayerStack(config).section('static_conv').convolve().normalise().repeat(steps);
  stack.section('conv').fire().pool().convolve().normalise().fire().pool();
  stack.section('fc').flatten().drop();
  for (const width of [hidden].flat()) stack.hide(width).drop();
  return stack.connectOutputs().fire().vote().layers;
}

/**
 * CIFAR10, [3, 32, 32]: `conv - batch norm` once, then at every step `neuron - {conv - batch norm - neuron} x 2 - pool -
 * {conv - batch norm - neuron} x 3 - pool - dropout - linear - neuron - linear - neuron - vote`. It has only one dropout, unlike the others.
 *
 * @throws {ShapeError} if the image has another size, `steps` is missing, or `layers` is given
 * @see Fang et al. 2021 (arXiv 2007.05785)
 */
function cifar10Layers(config: NetworkConfig): readonly Layer[] {
  const steps = countSteps(config, [3, 32, 32]);
  const { hidden = defaultHidden } = config;
  const stack = new LayerStack(config).section('static_conv').convolve().normalise().repeat(steps);
  stack.section('conv').fire();
  for (const convolutions of [2, 3]) {
    for (let i = 0; i < convolutions; i++) stack.convolve().normalise().fire();
    stack.pool();
  }
  stack.section('fc').flatten().drop();
  for (const width of [hidden].flat()) stack.hide(width);
  return stack.connectOutputs().fire().vote().layers;
}

/** Checks what still images determine. @returns T */
function countSteps(
  { architecture, input, layers, steps }: NetworkConfig,
  image: readonly [number, number, number],
): number {
  if (input.join() !== image.join()) {
    throw new ShapeError(
      `network: ${architecture} takes images [${image.join(', ')}], got [${input.join(', ')}]`,
      { key: 'architecture' },
    );
  }
  if (layers !== undefined) {
    throw new ShapeError(
      `network: layers is for event-frames, as ${architecture} has its own; got ${layers}`,
      { key: 'layers' },
    );
  }
  if (steps === undefined) {
    throw new ShapeError(
      `network: ${architecture} needs steps, the number of steps for which the still image is shown`,
      { key: 'steps' },
    );
  }
  return steps;
}

/** PyTorch's defaults for BatchNorm2d. */
const batchNormDefaults = { momentum: 0.1, epsilon: 1e-5 } as const;

/**
 * Builds a sequence of layers. It tracks the shape that the next layer gets, and numbers layers as in PyTorch's Sequential
 * (`conv.0`, `conv.1`, …).
 */
class LayerStack {
  readonly layers: Layer[] = [];
  readonly #config: NetworkConfig;
  #section = '';
  #place = 0;
  /** [C, H, W], or [F] once flattened. */
  #shape: readonly number[];

  constructor(config: NetworkConfig) {
    this.#config = config;
    this.#shape = config.input;
  }

  /** The number of values of one sample at one step. */
  get features(): number {
    return this.#shape.reduce((product, size) => product * size, 1);
  }

  /** Begins another attribute of PyTorch's module; its layers are numbered from 0. */
  section(name: 'static_conv' | 'conv' | 'fc'): this {
    this.#section = name;
    this.#place = 0;
    return this;
  }

  /** A 3x3 convolution without bias that preserves height and width. */
  convolve(): this {
    const [inChannels, height, width] = this.#image();
    const { channels: outChannels } = this.#config;
    this.#shape = [outChannels, height, width];
    this.layers.push({ kind: 'conv', name: this.#name(), inChannels, outChannels, kernel: 3, padding: 1 });
    return this;
  }

  normalise(): this {
    const [channels] = this.#image();
    this.layers.push({ kind: 'batch-norm', name: this.#name(), channels, ...batchNormDefaults });
    return this;
  }

  /** Repeats the output of the layers so far at each of T steps. It does not count in parameter names. */
  repeat(steps: number): this {
    this.layers.push({ kind: 'repeat', steps });
    return this;
  }

  /** One neuron per value. */
  fire({ recurrent = false } = {}): this {
    const neuron = neuronSpec(this.#config);
    const layer = { kind: 'neuron', name: this.#name(), shape: this.#shape, neuron } as const;
    this.layers.push(recurrent ? { ...layer, recurrent } : layer);
    return this;
  }

  /** Halves height and width, rounding down. */
  pool(): this {
    const [channels, height, width] = this.#image();
    this.#shape = [channels, Math.floor(height / 2), Math.floor(width / 2)];
    this.#place++;
    this.layers.push({ kind: 'pool', mode: this.#config.pooling, size: 2 });
    return this;
  }

  /** [C, H, W] to [C·H·W]. */
  flatten(): this {
    this.#shape = [this.features];
    this.#place++;
    this.layers.push({ kind: 'flatten' });
    return this;
  }

  /** Without a layer if nothing is dropped; later layers keep their numbers. */
  drop(): this {
    const probability = this.#config.dropout ?? networkDefaults.dropout;
    this.#place++;
    if (probability > 0) this.layers.push({ kind: 'dropout', probability, features: this.features });
    return this;
  }

  /** A linear layer without bias. */
  connect(outFeatures: number): this {
    this.layers.push({ kind: 'linear', name: this.#name(), inFeatures: this.features, outFeatures });
    this.#shape = [outFeatures];
    return this;
  }

  /** A hidden linear layer and its neurons. */
  hide(width: number): this {
    return this.connect(width).fire(this.#config);
  }

  /** The last linear layer: one output per vote and class. */
  connectOutputs(): this {
    return this.connect(this.#config.classes * this.#votes());
  }

  /** The last layer: a class's score is the mean of its votes. */
  vote(): this {
    this.layers.push({ kind: 'vote', group: this.#votes() });
    return this;
  }

  #votes(): number {
    return this.#config.votes ?? networkDefaults.votes;
  }

  #name(): string {
    return `${this.#section}.${this.#place++}`;
  }

  #image(): readonly [number, number, number] {
    const [channels, height, width] = this.#shape;
    if (channels === undefined || height === undefined || width === undefined) {
      throw new ShapeError(`network: expected an image [C, H, W], got [${this.#shape.join(', ')}]`);
    }
    return [channels, height, width];
  }
}
