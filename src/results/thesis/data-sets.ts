/** What is published about a data set, and the network that Fang et al. trained on it. */
export type DataSet = {
  /** `dataset.name` of a profile. */
  readonly name: string;
  readonly title: string;
  /** `-dataset_name` of the original's scripts; absent if they do not know it. */
  readonly originalName?: string;
  /** Present if it exists only as a simulation. */
  readonly simulated?: true;
  /** The profile that reads it. */
  readonly profile: string;
  /** In the order of the labels. */
  readonly classes: readonly string[];
  /** Clips or images of each split. */
  readonly published: { readonly train: number; readonly test: number };
} & (
  | {
      readonly kind: 'events';
      /** The camera's pixels. */
      readonly sensor: { readonly height: number; readonly width: number };
      /** For a data set in which every recording has the same clips: its recordings, and the clips of each class in one. */
      readonly recordings?: {
        readonly train: number;
        readonly test: number;
        readonly clipsByClass: readonly number[];
      };
      readonly network?: {
        readonly steps: number;
        /** For accuracy B, where that is another number. */
        readonly stepsB?: number;
        readonly channels: number;
        readonly layers: number;
      };
    }
  | {
      readonly kind: 'images';
      readonly image: { readonly channels: number; readonly height: number; readonly width: number };
      readonly network: {
        readonly architecture: 'mnist' | 'cifar10';
        readonly steps: number;
        readonly channels: number;
        readonly hidden: number;
      };
    }
);

const digits = [...'0123456789'];

/** The classes of CIFAR10, in the order of `batches.meta.txt`. */
const objects = [
  ...['airplane', 'automobile', 'bird', 'cat', 'deer'],
  ...['dog', 'frog', 'horse', 'ship', 'truck'],
];

/** Rows of a labels file: one for each class, but two for arm roll. */
const gestures = {
  'hand clapping': 1,
  'right hand wave': 1,
  'left hand wave': 1,
  'right arm clockwise': 1,
  'right arm counter-clockwise': 1,
  'left arm clockwise': 1,
  'left arm counter-clockwise': 1,
  'arm roll': 2,
  'air drums': 1,
  'air guitar': 1,
  other: 1,
} as const;

/** Grey images, 28 x 28. */
const likeMnist = {
  kind: 'images',
  image: { channels: 1, height: 28, width: 28 },
  published: { train: 60_000, test: 10_000 },
  network: { architecture: 'mnist', steps: 8, channels: 128, hidden: 2048 },
} as const;

/**
 * By name, in the order of the original's `-dataset_name`.
 *
 * @see the README of Fang et al. 2021, whose commands have the networks' T, channels and layers; their logs for T of N-MNIST; docs/data.md
 * for everything else
 */
export const DATA_SETS = {
  mnist: {
    name: 'mnist',
    title: 'MNIST',
    originalName: 'MNIST',
    profile: 'mnist',
    classes: digits,
    ...likeMnist,
  },
  'fashion-mnist': {
    name: 'fashion-mnist',
    title: 'FashionMNIST',
    originalName: 'FashionMNIST',
    profile: 'fashion-mnist',
    classes: 'T-shirt/top trouser pullover dress coat sandal shirt sneaker bag'
      .split(' ')
      .concat('ankle boot'),
    ...likeMnist,
  },
  cifar10: {
    name: 'cifar10',
    title: 'CIFAR10',
    originalName: 'CIFAR10',
    profile: 'cifar10',
    classes: objects,
    kind: 'images',
    image: { channels: 3, height: 32, width: 32 },
    published: { train: 50_000, test: 10_000 },
    network: { architecture: 'cifar10', steps: 8, channels: 256, hidden: 2048 },
  },
  nmnist: {
    name: 'nmnist',
    title: 'N-MNIST',
    originalName: 'NMNIST',
    profile: 'nmnist',
    classes: digits,
    kind: 'events',
    // The part of the ATIS camera's pixels that N-MNIST keeps.
    sensor: { height: 34, width: 34 },
    published: { train: 60_000, test: 10_000 },
    // The README's command for accuracy B has 10, as the logs of accuracy A; the log of accuracy B, and its folder's name, have 20.
    network: { steps: 10, stepsB: 20, channels: 128, layers: 2 },
  },
  'cifar10-dvs': {
    name: 'cifar10-dvs',
    title: 'CIFAR10-DVS',
    originalName: 'CIFAR10DVS',
    profile: 'cifar10-dvs',
    classes: objects,
    kind: 'events',
    sensor: { height: 128, width: 128 },
    published: { train: 9_000, test: 1_000 },
    network: { steps: 20, channels: 128, layers: 4 },
  },
  'asl-dvs': {
    name: 'asl-dvs',
    title: 'ASL-DVS',
    originalName: 'ASLDVS',
    profile: 'asl-dvs',
    // Letters without j and z, which are signed by a movement.
    classes: [...'abcdefghiklmnopqrstuvwxy'],
    kind: 'events',
    sensor: { height: 180, width: 240 },
    published: { train: 80_640, test: 20_160 },
  },
  'dvs128-gesture': {
    name: 'dvs128-gesture',
    title: 'DVS128 Gesture',
    originalName: 'DVS128Gesture',
    profile: 'full',
    classes: Object.keys(gestures),
    kind: 'events',
    sensor: { height: 128, width: 128 },
    published: { train: 1_176, test: 288 },
    // Users 1 to 23, and 24 to 29.
    recordings: { train: 98, test: 24, clipsByClass: Object.values(gestures) },
    network: { steps: 20, channels: 128, layers: 5 },
  },
  'two-scales': {
    name: 'two-scales',
    title: 'Two time scales',
    simulated: true,
    profile: 'control',
    // How far apart events are at the short scale, and clusters of events at the long one.
    classes: ['far-far', 'close-far', 'far-close', 'close-close'],
    kind: 'events',
    sensor: { height: 1, width: 5 },
    published: { train: 2_000, test: 1_000 },
  },
} as const satisfies Readonly<Record<string, DataSet>>;

export type DataSetName = keyof typeof DATA_SETS;

/** `-dataset_name` of the original's scripts. */
export type OriginalName = Extract<
  (typeof DATA_SETS)[DataSetName],
  { readonly originalName: string }
>['originalName'];

const all: readonly DataSet[] = Object.values(DATA_SETS);

/** The data set with this `dataset.name`. */
export function findDataSet(name: unknown): DataSet | undefined {
  return all.find((one) => one.name === name);
}

/** The data set that the original's scripts call so. */
export function findOriginal(name: OriginalName): DataSet {
  const found = all.find(({ originalName }) => originalName === name);
  if (found === undefined) throw new RangeError(`there is no data set ${name}`);
  return found;
}

/** The title of a data set, or the name of an unknown one. */
export function titleDataset(name: string): string {
  return findDataSet(name)?.title ?? name;
}

/** Recordings in words: `simulated, in the layout of DVS128 Gesture`; just the title of real ones. */
export function nameRecordings({ dataset, simulated }: { dataset: string; simulated: boolean }): string {
  const title = titleDataset(dataset);
  if (!simulated) return title;
  return findDataSet(dataset)?.simulated ? `simulated, ${title}` : `simulated, in the layout of ${title}`;
}
