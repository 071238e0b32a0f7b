import { LayerStack } from './layer-stack.ts';
import { checkCount, type NetworkConfig } from './network-config.ts';
import { ShapeError } from './shape-error.ts';
import type { Layer } from './spec.ts';

/**
 * The layers for event frames (DVS128 Gesture, N-MNIST, CIFAR10-DVS), which all run at every time step:
 * `{conv 3x3 - batch norm - neuron - pool 2x2} x layers - dropout - linear - neuron - dropout - linear - neuron - vote`.
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

/** @returns `layers`, checked */
function countBlocks({ input: [, height, width], layers, steps }: NetworkConfig): number {
  if (steps !== undefined) {
    throw new ShapeError(`network: steps is for still images, as event frames have their own; got ${steps}`);
  }
  if (layers === undefined) throw new ShapeError('network: event-frames needs layers, the number of blocks');
  checkCount('layers', layers);
  const most = Math.floor(Math.log2(Math.min(height, width)));
  if (layers > most) {
    throw new ShapeError(
      `network: ${layers} layers halve a frame of ${height} x ${width} to nothing; at most ${most} fit`,
    );
  }
  return layers;
}
