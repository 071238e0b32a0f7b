import type { DatasetName } from './argument-table.ts';

/** What a data set name means in the original's arguments. */
export type OriginalDataset =
  | {
      readonly kind: 'events';
      /** Height and width of the camera, in pixels. */
      readonly sensor: readonly [number, number];
      readonly classes: number;
      /** The data set's name in a profile, and the profile to read it with; null if it cannot be read yet. */
      readonly reader: { readonly name: string; readonly profile: string } | null;
      /** How many recordings are published, and how many clips of each class there are in one. */
      readonly recordings?: {
        readonly train: number;
        readonly test: number;
        readonly clipsByClass: readonly number[];
      };
    }
  | {
      readonly kind: 'still';
      readonly architecture: 'mnist' | 'cifar10';
      /** Widths of the original's convolutions and its hidden linear layer. */
      readonly channels: number;
      readonly hidden: number;
      readonly reader: null;
    }
  | { readonly kind: 'undefined'; readonly why: string; readonly reader: null };

export const originalDatasets: Readonly<Record<DatasetName, OriginalDataset>> = {
  MNIST: { kind: 'still', architecture: 'mnist', channels: 128, hidden: 2048, reader: null },
  FashionMNIST: { kind: 'still', architecture: 'mnist', channels: 128, hidden: 2048, reader: null },
  CIFAR10: { kind: 'still', architecture: 'cifar10', channels: 256, hidden: 2048, reader: null },
  NMNIST: {
    kind: 'events',
    sensor: [34, 34],
    classes: 10,
    reader: { name: 'nmnist', profile: 'nmnist' },
  },
  CIFAR10DVS: { kind: 'events', sensor: [128, 128], classes: 10, reader: null },
  ASLDVS: {
    kind: 'undefined',
    why: 'the original accepts this name, but stops after scaling the frames to 256 x 256: it never defined a network for them',
    reader: null,
  },
  DVS128Gesture: {
    kind: 'events',
    sensor: [128, 128],
    classes: 11,
    reader: { name: 'dvs128-gesture', profile: 'full' },
    recordings: { train: 98, test: 24, clipsByClass: [1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1] },
  },
};

/** The number of blocks that a frame of this size allows: each halves height and width. */
export function countFittingLayers([height, width]: readonly [number, number]): number {
  return Math.floor(Math.log2(Math.min(height, width)));
}
