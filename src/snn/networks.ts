import { cifar10Layers, eventFrameLayers, mnistLayers } from './architectures.ts';
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
