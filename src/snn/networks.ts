import { LayerStack } from './layer-stack.ts';
import { type Architecture, checkConfig, type NetworkConfig } from './network-config.ts';
import { stateEntries } from './parameters.ts';
import type { Layer, NetworkSpec } from './spec.ts';
import { countElements, ShapeError } from './tensor.ts';

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
  const { architecture = 'event-frames', input, classes } = config;
  checkConfig(config);
  const spec: NetworkSpec = { input, classes, layers: layersOf[architecture](config) };
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
 * `{conv 3x3 - batch norm - neuron - pool 2x2} x layers - dropout - linear - neuron - dropout - linear - neuron - vote`.
 * With `layers: 0`, the first linear layer reads the frames' counts.
 *
 * @throws {ShapeError} if `layers` is missing or too large for the frame, or if `steps` is given, as T is the frames'
 * @see Fang et al. 2021 (arXiv 2007.05785); Pazderka 2024
 */
export function eventFrameLayers(config: NetworkConfig): readonly Layer[] {
  const blocks = countBlocks(config);
  const stack = new LayerStack(config).section('conv');
  for (let block = 0; block < blocks; block++) stack.convolve().normalise().fire().pool();
  stack.section('fc').flatten().drop();
  const hidden = config.hidden ?? Math.max(1, Math.floor(stack.features / 4));
  return stack.connect(hidden).fire().drop().connectOutputs().fire().vote().layers;
}

/** How often a frame can be halved: the most blocks that fit. */
export function mostBlocks(height: number, width: number): number {
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

/** The default width of the hidden linear layer. */
const defaultHidden = 2048;

/**
 * MNIST and FashionMNIST, [1, 28, 28]: `conv - batch norm` once, then at every step
 * `neuron - pool - conv - batch norm - neuron - pool - dropout - linear - neuron - dropout - linear - neuron - vote`.
 *
 * @throws {ShapeError} if the image has another size, `steps` is missing, or `layers` is given
 * @see Fang et al. 2021 (arXiv 2007.05785)
 */
export function mnistLayers(config: NetworkConfig): readonly Layer[] {
  const steps = countSteps(config, [1, 28, 28]);
  const { hidden = defaultHidden } = config;
  const stack = new LayerStack(config).section('static_conv').convolve().normalise().repeat(steps);
  stack.section('conv').fire().pool().convolve().normalise().fire().pool();
  stack.section('fc').flatten().drop();
  return stack.connect(hidden).fire().drop().connectOutputs().fire().vote().layers;
}

/**
 * CIFAR10, [3, 32, 32]: `conv - batch norm` once, then at every step `neuron - {conv - batch norm - neuron} x 2 - pool -
 * {conv - batch norm - neuron} x 3 - pool - dropout - linear - neuron - linear - neuron - vote`. It has only one dropout, unlike the others.
 *
 * @throws {ShapeError} if the image has another size, `steps` is missing, or `layers` is given
 * @see Fang et al. 2021 (arXiv 2007.05785)
 */
export function cifar10Layers(config: NetworkConfig): readonly Layer[] {
  const steps = countSteps(config, [3, 32, 32]);
  const { hidden = defaultHidden } = config;
  const stack = new LayerStack(config).section('static_conv').convolve().normalise().repeat(steps);
  stack.section('conv').fire();
  for (const convolutions of [2, 3]) {
    for (let i = 0; i < convolutions; i++) stack.convolve().normalise().fire();
    stack.pool();
  }
  stack.section('fc').flatten().drop();
  return stack.connect(hidden).fire().connectOutputs().fire().vote().layers;
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
