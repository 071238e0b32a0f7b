import type { Events, Sensor } from '../events/events.ts';

export type Split = 'train' | 'test';
export const SPLITS: readonly Split[] = ['train', 'test'];

/** One file of a data set as found. */
export interface ManifestFile {
  /** Relative to the data set's root, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly md5: string;
  /** `archive`: contains the others. `unlisted`: not part of the data set and not used. */
  readonly status: 'ok' | 'archive' | 'unlisted';
}

/** What `verify` found; without absolute paths or times, so that the same data give the same manifest. */
export interface Manifest {
  readonly version: 1;
  readonly dataset: string;
  readonly simulated: boolean;
  /** Whether the data are in archives, as downloaded. */
  readonly archive: boolean;
  readonly splits: Readonly<Record<Split, { readonly recordings: number; readonly clips: number }>>;
  /** Clips by user, light and class name. */
  readonly perUser: Readonly<Record<string, number>>;
  readonly perLight: Readonly<Record<string, number>>;
  readonly perClass: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly files: readonly ManifestFile[];
}

export interface ReadOptions {
  readonly simulated: boolean;
  readonly signal?: AbortSignal | undefined;
  /** `done` of `total` recordings. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
  /** Receives what is too long for an error: one line for every problem of every file. */
  readonly log?: ((line: string) => void) | undefined;
}

/** One gesture or digit: a row of the frame cache. */
export interface Clip {
  /** Path of its file within the data set. */
  readonly recording: string;
  readonly user: number | null;
  readonly light: string | null;
  /** Position of its recording in the split's list, from 0; null if the data set has no list. */
  readonly trial: number | null;
  /** From 0. */
  readonly class: number;
  /** `startUs <= t < endUs`; null until the recording is read. */
  readonly startUs: number | null;
  readonly endUs: number | null;
}

/** The clips of both splits, sorted by recording name and then in label order. */
export type Clips = Readonly<Record<Split, readonly Clip[]>>;

/** A clip with its events, which are only valid until the visitor returns. */
export interface ReadClip {
  readonly split: Split;
  /** Index in `clips[split]`. */
  readonly row: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly events: Events;
}

/** Everything the pipeline knows about one data set. */
export interface Dataset {
  /** As in a profile's `dataset.name`. */
  readonly name: string;
  readonly title: string;
  readonly classes: readonly string[];
  readonly sensor: Sensor;
  /** What `progress` counts. */
  readonly recordingsNoun: string;
  /**
   * Checks every file.
   * @throws {ReproError} `data-missing` with how to get the data, or `data-kind` or `data-corrupt` with all problems
   */
  verify(root: string, options: ReadOptions): Promise<Manifest>;
  /** The clips without their events. */
  listClips(root: string, options: ReadOptions): Promise<Clips>;
  /** Reads the events of the named clips, recording by recording, in unspecified order. */
  readClips(
    root: string,
    clips: Clips,
    options: ReadOptions & { readonly invalidEvents: 'keep' | 'drop' },
    visit: (clip: ReadClip) => Promise<void>,
  ): Promise<void>;
}
