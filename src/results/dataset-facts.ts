import { formatCount } from '../base/text.ts';
import type { AudioSettings } from './audio-settings.ts';
import type { ImagePreparation } from './clip-index.ts';

/** The folder with a file for each data set, relative to the project. */
export const DATASETS_FOLDER = 'configs/datasets';

/** A published file. */
export interface PublishedFile {
  readonly name: string;
  readonly md5: string;
  /** Absent if the publisher does not say. */
  readonly sizeBytes?: number;
  /** If only that is known. */
  readonly aboutBytes?: number;
  /** Of an IDX file, unpacked. */
  readonly contentsMd5?: string;
  /** Direct addresses, tried in this order; absent if it can only be downloaded by hand. */
  readonly urls?: readonly string[];
  /** The address of a zip that has this file in it, in whatever folder; tried last. */
  readonly zipUrl?: string;
}

/** A folder in one commit of a git repository. */
export interface GitFolder {
  readonly url: string;
  readonly commit: string;
  readonly folder: string;
  /** The id that `git rev-parse COMMIT:FOLDER` prints. */
  readonly tree?: string;
}

interface CommonFacts {
  /** As in a profile's `dataset.name`: the name of its file. */
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  /** Present if it exists only as a simulation. */
  readonly simulated?: true;
  /** In the order of the labels. */
  readonly classes: readonly string[];
  /** Clips or images of each split. */
  readonly published: { readonly train: number; readonly test: number };
  readonly licence: string;
  readonly citation: string;
  readonly homepage?: string;
  readonly remarks: readonly string[];
  /** `dataset.root` of its profile, and the profile's name, if it has one. */
  readonly root: string;
  readonly profile?: string;
  /** About getting the data, shown with the commands. */
  readonly hints: readonly string[];
  readonly files: readonly PublishedFile[];
  /** Instead of files. */
  readonly git?: GitFolder;
}

interface EventFacts extends CommonFacts {
  readonly kind: 'events';
  /** The camera's pixels. */
  readonly sensor: { readonly height: number; readonly width: number };
  /** The network that Fang et al. trained on it. */
  readonly network?: {
    readonly steps: number;
    /** For accuracy B, where that is another number. */
    readonly stepsB?: number;
    readonly channels: number;
    readonly layers: number;
  };
}

/** Files of one format, each with one clip. */
export interface SampleFiles {
  /** Their paths below the root, with `{class}` and its like: docs/data.md. */
  readonly names: string;
  readonly reader: 'nmnist-bin' | 'aedat2' | 'aedat3' | 'aedat4' | 'mat' | 'npy' | 'wav';
  /** Of `npy`: how an array without field names is read, and the unit of times; default µs. */
  readonly columns?: readonly ('x' | 'y' | 't' | 'p')[];
  readonly timeUnit?: 'us' | 'ms' | 's';
}

/** Where the first frame of a clip begins: at time 0 of its file, or at the first event. */
export type FramesFrom = 'file' | 'first-event';

/** Event recordings with one file for each clip. */
export interface SampleFacts extends EventFacts {
  readonly layout: 'samples';
  readonly samples: readonly SampleFiles[];
  /** How sound becomes events, or became those in the files; keys that are left out have their defaults. */
  readonly audio?: Partial<AudioSettings>;
  /** What `{user}` stands for, if not digits: hexadecimal digits, or one of these names, numbered from 1. */
  readonly users?: 'hexadecimal' | readonly string[];
  /** Present if of samples with the same bytes, class and user only the first by name is used. */
  readonly duplicates?: 'leave-out';
  readonly framesFrom?: FramesFrom;
  /** One of them. */
  readonly split: {
    /** What `{split}` stands for. */
    readonly folders?: { readonly train: string; readonly test: string };
    /** Of each class, the first floor(trainShare · n) by number are for training. */
    readonly trainShare?: number;
    readonly testUsers?: readonly number[];
    readonly testNumbers?: readonly number[];
    /** A file below the root with the paths of the test samples, one a line. */
    readonly testList?: string;
  };
}

/** Recordings with several labelled clips each, in the layout of DVS128 Gesture. */
export interface GestureFacts extends EventFacts {
  readonly layout: 'dvs128-gesture';
  /** The clips of each class in every recording. */
  readonly clipsByClass: readonly number[];
  /** The md5 of each. */
  readonly recordings: Readonly<Record<'train' | 'test', Readonly<Record<string, string>>>>;
}

/** Spikes of an artificial ear in HDF5, many clips to a file; the names of files for testing end in `_test`. */
export interface HeidelbergFacts extends EventFacts {
  readonly layout: 'heidelberg';
  /** Neighbouring units that count as one pixel. */
  readonly unitsPerPixel: number;
}

/** Still images. */
export interface ImageFacts extends CommonFacts {
  readonly kind: 'images';
  readonly layout: 'idx' | 'cifar10';
  readonly image: { readonly channels: number; readonly height: number; readonly width: number };
  /** How the original shows them to its network. */
  readonly preparation: ImagePreparation;
  readonly network: {
    readonly architecture: 'mnist' | 'cifar10';
    readonly steps: number;
    readonly channels: number;
    readonly hidden: number;
  };
}

/** What is known of a data set, from `configs/datasets/<name>.yaml`. */
export type DatasetFacts = SampleFacts | GestureFacts | HeidelbergFacts | ImageFacts;

/** Whether `repro data fetch` can download it. */
export function canFetch({ files, git }: Pick<CommonFacts, 'files' | 'git'>): boolean {
  return git !== undefined || files.some(({ urls }) => urls !== undefined);
}

/** Whether its recordings come with the project: all of configs/ is in the repository. */
export function isCommitted({ root }: Pick<CommonFacts, 'root'>): boolean {
  return root.startsWith('configs/');
}

export function isSound(samples: readonly SampleFiles[]): boolean {
  return samples.every(({ reader }) => reader === 'wav');
}

/** What is in a data set's file. */
export type DatasetContent =
  | ContentOf<SampleFacts>
  | ContentOf<GestureFacts>
  | ContentOf<HeidelbergFacts>
  | ContentOf<ImageFacts>;
type ContentOf<Facts extends DatasetFacts> = Omit<Facts, 'name' | 'kind' | keyof typeof NONE> &
  Partial<Pick<Facts, keyof typeof NONE>>;
const NONE = { remarks: [], hints: [], files: [] } as const;

/** The facts in a data set's file. @param content as `schemas/dataset.schema.json` accepts it */
export function toFacts(name: string, content: DatasetContent): DatasetFacts {
  if ('image' in content) return { name, kind: 'images', ...NONE, ...content };
  return { name, kind: 'events', ...NONE, ...content };
}

/** Whether it is known of each clip whose it is. */
export function tellsUsers(facts: DatasetFacts): boolean {
  return 'samples' in facts
    ? facts.samples.every(({ names }) => names.includes('{user}'))
    : 'recordings' in facts || facts.layout === 'heidelberg';
}

/** How the sound of a data set becomes events, if it has sound. */
export function audioOf(facts: DatasetFacts): Partial<AudioSettings> | undefined {
  if (facts.layout !== 'samples') return undefined;
  return facts.audio ?? (isSound(facts.samples) ? {} : undefined);
}

/** `128 × 128 pixels`; of one row `64 columns`, or `64 bands` of sound. */
export function nameSensor({ width, height }: EventFacts['sensor'], hasSound: boolean): string {
  return height > 1 ? `${width} × ${height} pixels` : formatCount(width, hasSound ? 'band' : 'column');
}

export function framesFrom({
  layout,
  samples,
  framesFrom: said,
}: Pick<EventFacts, 'name'> &
  Partial<Pick<SampleFacts, 'samples' | 'framesFrom'> & Pick<DatasetFacts, 'layout'>>): FramesFrom {
  const isOfSound = layout === 'heidelberg' || samples?.some(({ reader }) => reader === 'wav');
  return said ?? (isOfSound ? 'file' : 'first-event');
}

/** Recordings in words: `simulated, in the layout of DVS128 Gesture`; just the title of real ones. */
export function nameRecordings(
  { title, ...facts }: Pick<DatasetFacts, 'title' | 'simulated'>,
  simulated: boolean,
): string {
  if (!simulated) return title;
  return facts.simulated ? `simulated, ${title}` : `simulated, in the layout of ${title}`;
}
