import type { Frames } from '../messages.ts';
import type { Payload } from '../payload.ts';
import type { ViewState } from '../view-state.ts';
import type { Models } from './models.ts';
import type { PageWorker } from './page-worker.ts';
import type { Palette } from './palette.ts';
import type { Result } from './runs.ts';

/** What the parts of the page show. */
export interface View {
  readonly state: ViewState;
  /** Of the last run; null before the first. It may be older than the state. */
  readonly result: Result | null;
  readonly isPlaying: boolean;
  /** Meanwhile the model and its edits stay as they are. */
  readonly isTraining: boolean;
  /** Another object whenever all must be drawn again. */
  readonly palette: Palette;
}

/** A part of the page: what it consists of, and how it follows the view. */
export interface Part {
  readonly root: HTMLElement;
  readonly show: (view: View) => void;
}

/** What the parts of the page may use and change. */
export interface Page {
  readonly payload: Payload;
  readonly worker: PageWorker;
  readonly models: Models;
  readonly state: () => ViewState;
  /**
   * Shows the changed state, runs the network again where that is needed, and puts the state into the address.
   *
   * @param isNewPlace in the history: true by default; false for what the reader did not do
   */
  readonly change: (patch: Partial<ViewState>, isNewPlace?: boolean) => void;
  /** Shows this with nothing else changed, and plays it from its first step unless the reader prefers less motion. */
  readonly present: (patch: Partial<ViewState>) => void;
  /** Undoes what the reader changed in the network and in the order of frames. */
  readonly undo: () => void;
  readonly canUndo: () => boolean;
  /** The model whose file the reader must choose. */
  readonly missingModel: () => number | null;
  /** Shows it as clip `own`, in place of the one before. */
  readonly addClip: (clip: OwnClip) => void;
  readonly ownClip: () => OwnClip | null;
  /** The class of a clip; null: unknown. */
  readonly labelOf: (clip: string) => number | null;
  /** @throws {Error} if there is no such clip */
  readonly framesOf: (clip: string) => Frames;
}

/** A clip that the reader made or loaded; its frames are [T, 2, H, W], as the payload's `frames` says. Nobody knows its class. */
export interface OwnClip {
  readonly title: string;
  readonly frames: Frames;
}
