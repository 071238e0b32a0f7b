import type { Frames } from '../messages.ts';
import type { Payload } from '../payload.ts';
import type { ViewState } from '../view-state.ts';
import type { PageWorker } from './page-worker.ts';

/** A clip that the reader made or loaded; its frames are [T, 2, H, W], as the payload's `frames` says. */
export interface OwnClip {
  readonly title: string;
  readonly frames: Frames;
  /** null: the reader did not say which class it is. */
  readonly label: number | null;
}

/** What a panel may see and change; a panel is `(context: PageContext) => HTMLElement`. */
export interface PageContext {
  readonly payload: Payload;
  readonly worker: PageWorker;
  readonly state: () => ViewState;
  /** Shows the changed state, runs the network again where that is needed, and puts the state into the address. */
  readonly change: (patch: Partial<ViewState>) => void;
  /** Calls the listener after each change of the state; not at the start. */
  readonly onChange: (listener: () => void) => void;
  /** Shows it as clip `own`, in place of the one before. */
  readonly addClip: (clip: OwnClip) => void;
  /** @throws {Error} if there is no such clip */
  readonly framesOf: (clip: string) => Frames;
  /** Where the values in use are from: the run, training in the page, or a file that the reader has yet to choose. */
  readonly origin: (model: number) => 'trained' | 'replaced' | 'missing';
  /**
   * The values in use: as trained by the run, unless they were replaced. F32 tensors of `stateEntries(spec)`, one after the other; a copy.
   *
   * @throws {Error} if the page does not hold them: the reader must choose the file first
   */
  readonly valuesOf: (model: number) => Promise<Float32Array>;
  /** Uses other values from now on, and runs again. null: as trained by the run. */
  readonly replaceValues: (model: number, values: Float32Array | null) => Promise<void>;
}
