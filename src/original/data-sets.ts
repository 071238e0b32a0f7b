import type { DatasetName } from './argument-table.ts';
import type { OriginalArguments } from './arguments.ts';

/** What a data set name means in the original's arguments. */
export type OriginalDataset = {
  readonly classes: number;
  /** The data set's name in a profile, and the profile to read it with. */
  readonly reader: { readonly name: string; readonly profile: string };
} & (
  | {
      readonly kind: 'events';
      /** Height and width of the camera, in pixels. */
      readonly sensor: readonly [number, number];
      /** Why the original's script cannot train on it, if it cannot. */
      readonly refusal?: string;
      /** How many recordings are published, and how many clips of each class there are in one. */
      readonly recordings?: {
        readonly train: number;
        readonly test: number;
        readonly clipsByClass: readonly number[];
      };
    }
  | {
      readonly kind: 'still';
      /** Channels, height and width of an image. */
      readonly image: readonly [number, number, number];
      readonly architecture: 'mnist' | 'cifar10';
      /** Widths of the original's convolutions and its hidden linear layer. */
      readonly channels: number;
      readonly hidden: number;
    }
);

export const originalDatasets: Readonly<Record<DatasetName, OriginalDataset>> = {
  MNIST: {
    kind: 'still',
    image: [1, 28, 28],
    classes: 10,
    architecture: 'mnist',
    channels: 128,
    hidden: 2048,
    reader: { name: 'mnist', profile: 'mnist' },
  },
  FashionMNIST: {
    kind: 'still',
    image: [1, 28, 28],
    classes: 10,
    architecture: 'mnist',
    channels: 128,
    hidden: 2048,
    reader: { name: 'fashion-mnist', profile: 'fashion-mnist' },
  },
  CIFAR10: {
    kind: 'still',
    image: [3, 32, 32],
    classes: 10,
    architecture: 'cifar10',
    channels: 256,
    hidden: 2048,
    reader: { name: 'cifar10', profile: 'cifar10' },
  },
  NMNIST: { kind: 'events', sensor: [34, 34], classes: 10, reader: { name: 'nmnist', profile: 'nmnist' } },
  CIFAR10DVS: {
    kind: 'events',
    sensor: [128, 128],
    classes: 10,
    reader: { name: 'cifar10-dvs', profile: 'cifar10-dvs' },
  },
  ASLDVS: {
    kind: 'events',
    sensor: [180, 240],
    classes: 24,
    reader: { name: 'asl-dvs', profile: 'asl-dvs' },
    refusal:
      'neither the thesis’ script nor Fang’s original code has a network for it: the class of that name only scales frames to 256 x 256',
  },
  DVS128Gesture: {
    kind: 'events',
    sensor: [128, 128],
    classes: 11,
    reader: { name: 'dvs128-gesture', profile: 'full' },
    recordings: { train: 98, test: 24, clipsByClass: [1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1] },
  },
};

/** By its name in a profile. */
export function findOriginalDataset(name: unknown): OriginalDataset | undefined {
  return Object.values(originalDatasets).find(({ reader }) => reader.name === name);
}

/**
 * A note if the thesis' published script would stop at these arguments: its networks for other data sets than DVS128 Gesture were not
 * carried over to its new constructors, except MNIST's with LIF neurons.
 */
export function describePublishedStop({
  dataset_name: name,
  use_plif,
  tau_per_neuron,
}: OriginalArguments): string | null {
  if (name === 'DVS128Gesture' || (name === 'MNIST' && !use_plif)) return null;
  const network = name === 'MNIST' ? 'MNIST’s network with PLIF neurons' : `the network for ${name}`;
  const how = tau_per_neuron ? ', with one τ per layer' : '';
  return `-dataset_name ${name}: the thesis’ published script stops here with a TypeError, since it cannot construct ${network}; Fang’s original code trains it${how}.`;
}

/** The number of blocks that a frame of this size allows: each halves height and width. */
export function countFittingLayers([height, width]: readonly [number, number]): number {
  return Math.floor(Math.log2(Math.min(height, width)));
}
