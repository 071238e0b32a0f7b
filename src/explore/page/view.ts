import type { ViewState } from '../view-state.ts';
import type { OwnClip, PageContext } from './context.ts';
import type { Models } from './models.ts';
import type { Palette } from './palette.ts';
import type { Result } from './runs.ts';

/** What the parts of the page show. */
export interface View {
  readonly state: ViewState;
  /** Of the last run; null before the first. It may be older than the state. */
  readonly result: Result | null;
  readonly isPlaying: boolean;
  /** Another object whenever all must be drawn again. */
  readonly palette: Palette;
}

/** What the parts of the page may use. */
export interface Page extends PageContext {
  readonly models: Models;
  /** Undoes what the reader changed in the network and in the order of frames. */
  readonly undo: () => void;
  readonly canUndo: () => boolean;
  /** The model whose file the reader must choose. */
  readonly missingModel: () => number | null;
  readonly ownClip: () => OwnClip | null;
  /** The class of a clip; null: unknown. */
  readonly labelOf: (clip: string) => number | null;
}

/** A part of the page: what it consists of, and how it follows the view. */
export interface Part {
  readonly root: HTMLElement;
  readonly show: (view: View) => void;
}
