import type { GestureFacts, HeidelbergFacts, ImageFacts, SampleFacts } from '../../results/dataset-facts.ts';
import type { Manifest } from '../../results/manifest.ts';
import type { Overlaps, RowStride } from '../../results/thesis/compat.ts';
import type { Threads } from '../reading/threads.ts';
import type { Clips, ReadClip, Split } from './clips.ts';

export interface ReadOptions {
  readonly simulated: boolean;
  readonly signal?: AbortSignal | undefined;
  /** `done` of `total` recordings. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Receives what is too long for an error: one line for every problem of every file. */
  readonly log?: ((line: string) => void) | undefined;
  /** Threads to check files in; default: the calling thread. */
  readonly threads?: Threads | undefined;
}

export interface ListClipsOptions extends ReadOptions {
  /** Default `both`. */
  readonly overlaps?: Overlaps | undefined;
}

export interface ReadClipsOptions extends ReadOptions {
  readonly invalidEvents: 'keep' | 'drop';
  /** Default `width`. */
  readonly rowStride?: RowStride | undefined;
}

/** What a reader of data sets can do with one, beside its facts. */
interface Reading {
  /** What `progress` counts. */
  readonly recordingsNoun: string;
  /**
   * Checks every file.
   * @throws {ReproError} `data-missing` with how to get the data, or `data-kind` or `data-corrupt` with all problems
   */
  verify(root: string, options: ReadOptions): Promise<Manifest>;
}

/** Recordings of an event camera. */
export interface EventDataset extends Reading {
  readonly kind: 'events';
  readonly facts: SampleFacts | GestureFacts | HeidelbergFacts;
  /** Whether the recordings say that they are simulated; absent if no simulated ones exist. */
  isSimulated?(root: string): Promise<boolean>;
  /** The clips without their events. */
  listClips(root: string, options: ListClipsOptions): Promise<Clips>;
  /** Whether reading some of the clips takes about as long as reading all, as from a `.tar.gz`; default: no. */
  readsWhole?(root: string): Promise<boolean>;
  /** Reads the events of the named clips, recording by recording, in unspecified order. */
  readClips(
    root: string,
    clips: Clips,
    options: ReadClipsOptions,
    visit: (clip: ReadClip) => Promise<void>,
  ): Promise<void>;
}

/** Still images of one split, in file order. */
export interface Images {
  /** [N, C, H, W], 0 to 255. */
  readonly pixels: Uint8Array;
  /** [N], from 0. */
  readonly labels: Uint8Array;
}

/** Still images, which the network turns into spikes. */
export interface ImageDataset extends Reading {
  readonly kind: 'images';
  readonly facts: ImageFacts;
  readImages(root: string, options: ReadOptions): Promise<Readonly<Record<Split, Images>>>;
}

export type Dataset = EventDataset | ImageDataset;
