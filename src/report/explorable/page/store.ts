import { describeError } from '../../../base/errors.ts';
import { keepLast } from '../keep-last.ts';
import { unpack } from '../payload.ts';
import { formatAddress, NO_EDITS, parseAddress, type ViewState } from '../view-state.ts';
import { type Palette, readPalette } from './elements.ts';
import {
  missingNetwork,
  networkInUse,
  networkOfRun,
  payload,
  type Result,
  type Run,
  runNetworks,
  type ShownClip,
  steps,
  type Wanted,
} from './networks.ts';

/** What the parts of the page show. */
export interface View {
  readonly state: ViewState;
  /** Of the last run; null before the first. It may be older than the state. */
  readonly result: Result | null;
  /** Whether the networks have been at work for so long that the reader should know. */
  readonly isWaiting: boolean;
  /** What went wrong in the last run. */
  readonly problem: string;
  /** Another object whenever all must be drawn again. */
  readonly palette: Palette;
}

const clips = new Map<string, ShownClip>();
const start: ViewState = {
  ...{ model: 0, beside: null, clip: payload.clips[0]!.id, step: 0, order: 'as-is' },
  ...{ show: 'spikes', neuron: null, edits: NO_EDITS },
};
let state = readAddress();
let result: Result | null = null;
let problem = '';
let palette = readPalette();

export function stateNow(): ViewState {
  return state;
}

/** A clip of the payload, or `own`, which is null until there is one. */
export function clipOf(id: string): ShownClip | null {
  const embedded = payload.clips.find((clip) => clip.id === id);
  if (!clips.has(id) && embedded !== undefined) {
    const { class: label, frames } = embedded;
    clips.set(id, { title: payload.classes[label]!, label, frames: unpack(frames) });
  }
  return clips.get(id) ?? null;
}

export function showOwn(clip: ShownClip): void {
  URL.revokeObjectURL(clips.get('own')?.sound?.split('#')[0] ?? '');
  clips.set('own', clip);
  change({ clip: 'own', step: 0, order: 'as-is' });
}

/** Shows the changed state, runs the networks again where that is needed, and puts the state into the address. */
export function change(patch: Partial<ViewState>): void {
  state = { ...state, ...patch };
  void compute();
  keepAddress();
  redraw();
}

const want = keepLast((...wanted: Wanted) => wanted);

/** What the view depends on; null if the reader must first choose the file of a network. */
function wanted(): Wanted | null {
  if (missingNetwork(state) !== undefined) return null;
  const beside = state.beside === null ? null : networkOfRun(state.beside);
  return want(networkInUse(state.model)!, beside, clipOf(state.clip)!, state.order, state.edits);
}

/** Less than this would only flicker. */
const PATIENCE_MS = 150;
let isComputing = false;
let isWaiting = false;

/** Runs the networks of the view, and again if it changed meanwhile: of several changes, only the last is computed. */
async function compute(): Promise<void> {
  if (isComputing) return;
  isComputing = true;
  try {
    for (let next = wanted(); next !== null && next !== result?.wanted; next = wanted()) {
      const timer = setTimeout(() => {
        isWaiting = true;
        redraw();
      }, PATIENCE_MS);
      try {
        result = await runNetworks(next);
      } finally {
        clearTimeout(timer);
        isWaiting = false;
        redraw();
      }
      problem = '';
      if (!hasNeuron(result.run, state.neuron)) change({ neuron: findLively(result.run) });
    }
  } catch (error) {
    problem = describeError(error);
  } finally {
    isComputing = false;
  }
}

function hasNeuron({ neurons }: Run, neuron: ViewState['neuron']): boolean {
  return neuron !== null && neuron.index < (neurons[neuron.layer]?.leaks.length ?? 0);
}

/** A neuron that fires in the second half of the clip; rather in the second layer, where maps are small enough to see it. */
function findLively({ neurons, trace }: Run): ViewState['neuron'] {
  const fires = trace.layers.map(({ spikes }) => spikes.indexOf(1, spikes.length / 2));
  const layer = [1, ...fires.keys()].find((at) => (fires[at] ?? -1) >= 0) ?? 0;
  return { layer, index: Math.max(0, fires[layer]! % neurons[layer]!.leaks.length) };
}

let draw = (_view: View): void => undefined;
let isDue = false;
/** Draws the page again with the next frame. */
export function redraw(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    const neuron = result !== null && hasNeuron(result.run, state.neuron) ? state.neuron : null;
    draw({ state: { ...state, neuron }, result, isWaiting, problem, palette });
  });
}

let isAddressDue = false;
/** Browsers allow few changes of the address a second: it follows every half second, while a clip plays, too. */
function keepAddress(): void {
  if (isAddressDue) return;
  isAddressDue = true;
  setTimeout(() => {
    isAddressDue = false;
    history.replaceState(null, '', formatAddress(state));
  }, 500);
}

function readAddress(): ViewState {
  const shown = payload.clips.filter(({ role }) => role === 'example' || role === 'disagreement');
  const ids = [...shown.map(({ id }) => id), ...(clips.has('own') ? ['own'] : [])];
  return parseAddress(location.hash, { models: payload.models.length, steps, clips: ids }, start);
}

/** Shows the page, again with each change. */
export function showPage(drawPage: (view: View) => void): void {
  draw = drawPage;
  // An address that somebody enters; others are places on the page.
  addEventListener('hashchange', () => {
    if (location.hash.includes('=')) state = readAddress();
    change({});
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    palette = readPalette();
    redraw();
  });
  change({});
}
