import type { Frames, Payload } from '../payload.ts';
import type { ViewState } from '../view-state.ts';
import type { Models, Result } from './networks.ts';
import type { Palette } from './pixels.ts';

/** What the parts of the page show. */
export interface View {
  readonly state: ViewState;
  /** Of the last run; null before the first. It may be older than the state. */
  readonly result: Result | null;
  /** Whether the networks have been at work for so long that the reader should know. */
  readonly isWaiting: boolean;
  readonly isPlaying: boolean;
  /** Another object whenever all must be drawn again. */
  readonly palette: Palette;
}

/** How a part of the page follows the view. */
export type Part = (view: View) => void;

/** What the parts of the page may use and change. */
export interface Page {
  readonly payload: Payload;
  readonly models: Models;
  readonly state: () => ViewState;
  /** Shows the changed state, runs the network again where that is needed, and puts the state into the address. */
  readonly change: (patch: Partial<ViewState>) => void;
  /** A clip of the payload, or `own`, which is null until there is one. */
  readonly clipOf: (id: string) => Clip | null;
  readonly showOwn: (clip: Clip) => void;
}

export interface Clip {
  readonly title: string;
  /** Its class; null: nobody knows. */
  readonly label: number | null;
  /** [T, 2, H, W], as the payload's `frames` says. */
  readonly frames: Frames;
}
