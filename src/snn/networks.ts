import { eventFrameLayers } from './event-frames.ts';
import { type Architecture, checkConfig, type NetworkConfig } from './network-config.ts';
import { ShapeError } from './shape-error.ts';
import type { Layer, NetworkSpec } from './spec.ts';
import { cifar10Layers, mnistLayers } from './still-images.ts';

export type { Architecture, NetworkConfig } from './network-config.ts';

const layersOf: Readonly<Record<Architecture, (config: NetworkConfig) => readonly Layer[]>> = {
  'event-frames': eventFrameLayers,
  mnist: mnistLayers,
  cifar10: cifar10Layers,
};

/**
 * Builds the network that a configuration describes. docs/networks.md draws the three architectures.
 *
 * @throws {ShapeError} if a number is out of range, a key belongs to another architecture, or it does not accept the input's size
 */
export function buildNetwork(config: NetworkConfig): NetworkSpec {
  const { architecture = 'event-frames', input, classes } = config;
  checkConfig(config);
  if (!Object.hasOwn(layersOf, architecture)) {
    const known = Object.keys(layersOf).join(', ');
    throw new ShapeError(`network: architecture must be one of ${known}, got ${architecture}`);
  }
  return { input, classes, layers: layersOf[architecture](config) };
}
