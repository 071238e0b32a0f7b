import { ReproError } from '../errors.ts';
import type { ClipIndex } from '../results/clip-index.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import type { State } from '../snn/tensor.ts';

/** Known cameras, and the profile with their frames. */
const CAMERAS: readonly { readonly side: number; readonly profile: string }[] = [
  { side: 34, profile: 'nmnist' },
  { side: 128, profile: 'full' },
];

/**
 * Checks that a network can be shown these frames.
 *
 * @param input [P, H, W] of a frame
 * @throws {ReproError} `frames-misfit` with the settings that would make them fit, if any
 */
export function checkFramesFit(
  { network, state }: { readonly network: NetworkConfig; readonly state: State },
  index: ClipIndex,
  input: readonly [number, number, number],
): void {
  const { architecture = 'event-frames' } = network;
  const fail = (problem: string, fix: string): never => {
    throw new ReproError('frames-misfit', problem, { fix });
  };
  if (architecture !== 'event-frames' && index.images === undefined) {
    fail(
      `this is a network for still images (${architecture}), but ${index.dataset} has event frames.`,
      `Choose a profile with such images: --profile ${architecture}.`,
    );
  }
  if (architecture === 'event-frames' && index.images !== undefined) {
    fail(
      `this is a network for event frames, but ${index.dataset} has still images.`,
      'Choose the profile of the event recordings that it was trained on, with --profile.',
    );
  }
  const [channels, height, width] = network.input;
  const [frameChannels, frameHeight, frameWidth] = input;
  if (channels !== frameChannels) {
    fail(
      `the network takes frames with ${channels} channels, but these have ${frameChannels}.`,
      index.images === undefined
        ? 'Event frames have 2, one per polarity.'
        : 'Images of MNIST and FashionMNIST have 1, those of CIFAR10 have 3.',
    );
  }
  if (height !== frameHeight || width !== frameWidth) {
    fail(
      `the network takes frames of ${height} x ${width}, but these are ${frameHeight} x ${frameWidth}.`,
      remedySize(network, state, index),
    );
  }
  if (network.classes !== index.classes.length) {
    fail(
      `the network has ${network.classes} classes, but ${index.dataset} has ${index.classes.length}.`,
      'It was trained on another data set: choose that one’s profile with --profile.',
    );
  }
}

function remedySize(network: NetworkConfig, state: State, { sensor, frames }: ClipIndex): string {
  const [, height, width] = network.input;
  const remedies: string[] = [];
  const factor = sensor.height / height;
  if (Number.isInteger(factor) && sensor.width / width === factor) {
    remedies.push(`Frames that fit: --set frames.downsample=${factor}.`);
  }
  const camera = CAMERAS.find(({ side }) => side === height && side === width && side !== sensor.height);
  if (camera !== undefined) {
    remedies.push(`Frames of ${camera.side} x ${camera.side}: --profile ${camera.profile}.`);
  }
  if (takesAlike(network, state, [frames.height, frames.width])) {
    remedies.push(
      `Its weights would fit these frames too. If it was trained on this size, import it with --input ${frames.height}x${frames.width}.`,
    );
  }
  return (
    remedies.join('\n') ||
    'No setting gives frames of that size for this data set: it was trained on another.'
  );
}

/** Whether frames of another size leave a map of the same size after pooling. */
function takesAlike(
  { layers = 0, channels, tau }: NetworkConfig,
  state: State,
  [height, width]: readonly [number, number],
): boolean {
  const features = state.get('fc.2.weight')?.shape[1];
  const scale = 2 ** layers;
  return (
    tau.per === 'layer' && Math.floor(height / scale) * Math.floor(width / scale) * channels === features
  );
}
