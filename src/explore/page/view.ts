import type { Frames } from '../messages.ts';
import type { Payload } from '../payload.ts';
import type { ViewState } from '../view-state.ts';
import type { Palette } from './canvas.ts';
import type { Models } from './models.ts';
import type { Result } from './runs.ts';
import type { Thread } from './thread.ts';

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

/** How a part of the page follows the view. */
export type Part = (view: View) => void;

/** What the parts of the page may use and change. */
export interface Page {
  readonly payload: Payload;
  readonly ask: Thread;
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
  /** The clip that the reader made or loaded, which is shown as clip `own`. Nobody knows its class. */
  readonly own: OwnClip | null;
  readonly addClip: (clip: OwnClip) => void;
  /** The class of a clip; null: unknown. */
  readonly labelOf: (clip: string) => number | null;
  /** @throws {Error} if there is no such clip */
  readonly framesOf: (clip: string) => Frames;
}

export interface OwnClip {
  readonly title: string;
  /** [T, 2, H, W], as the payload's `frames` says. */
  readonly frames: Frames;
}
