import { describeError } from '../../errors.ts';
import { hasEdits } from '../edits.ts';
import { keepLast } from '../keep-last.ts';
import { type Payload, unpack } from '../payload.ts';
import { formatAddress, NO_EDITS, parseAddress, type ViewState } from '../view-state.ts';
import { makeControls, makePlayer } from './controls.ts';
import { byId } from './dom.ts';
import { makeLayers } from './layers.ts';
import { writeMarkup } from './markup.ts';
import { Models, makeRuns, type Network, type Result, type Run, type Wanted } from './networks.ts';
import { makeEditing, makeInspector } from './neuron.ts';
import { makeOwnClip } from './own-panel.ts';
import { readPalette } from './pixels.ts';
import { makeStage } from './stage.ts';
import { makeTraining } from './train-panel.ts';
import type { Clip, Page } from './view.ts';

const payload: Payload = JSON.parse(document.getElementById('payload')?.textContent ?? '');
const { steps } = payload.frames;
byId('div', 'explore').innerHTML = writeMarkup(payload);
const models = new Models(payload);
const clips = new Map<string, Clip>();
const start: ViewState = {
  ...{ model: 0, beside: null, clip: payload.clips[0]!.id, step: 0, order: 'as-is' },
  ...{ show: 'spikes', neuron: null, edits: NO_EDITS },
};
let state = readAddress();
let result: Result | null = null;
let palette = readPalette();

const page: Page = {
  ...{ payload, models, change, clipOf },
  state: () => state,
  showOwn(clip) {
    clips.set('own', clip);
    change({ clip: 'own', step: 0, order: 'as-is' });
  },
};
const run = makeRuns(models, steps);
const player = makePlayer(page);
const training = makeTraining(page);
const parts = [
  ...[makeControls(page), player.show, makeStage(page), makeLayers(page)],
  ...[makeInspector(page), makeEditing(page), training.show],
];
makeOwnClip(page);

function clipOf(id: string): Clip | null {
  const embedded = payload.clips.find((clip) => clip.id === id);
  if (!clips.has(id) && embedded !== undefined) {
    const { class: label, frames } = embedded;
    clips.set(id, { title: payload.classes[label]!, label, frames: unpack(frames) });
  }
  return clips.get(id) ?? null;
}

function change(patch: Partial<ViewState>): void {
  state = { ...state, ...patch };
  if (patch.clip !== undefined) {
    // These tell of the clip before.
    byId('p', 'lost').hidden = true;
    byId('p', 'own-text').textContent = '';
    byId('a', 'look').hidden = true;
  }
  void compute();
  keepAddress();
  render();
}

const want = keepLast(
  (
    network: Network,
    beside: Network | null,
    clip: Clip,
    order: ViewState['order'],
    edits: ViewState['edits'],
  ): Wanted => ({ network, beside, clip, order, edits }),
);

/** What the view depends on; null if the reader must first choose the file of a network. */
function wanted(): Wanted | null {
  const network = models.inUse(state.model);
  const beside = state.beside === null ? null : models.ofRun(state.beside);
  if (network === null || (state.beside !== null && beside === null)) return null;
  return want(network, beside, clipOf(state.clip)!, state.order, state.edits);
}

/** Less than this would only flicker. */
const PATIENCE_MS = 150;
let isComputing = false;
let isWaiting = false;

/** Runs the networks of the view, and again if it changed meanwhile: of several changes, only the last is computed. */
async function compute(): Promise<void> {
  if (isComputing) return;
  isComputing = true;
  for (let next = wanted(); next !== null && next !== result?.wanted; next = wanted()) {
    const timer = setTimeout(() => {
      isWaiting = true;
      render();
    }, PATIENCE_MS);
    try {
      show(await run(next));
    } catch (error) {
      byId('p', 'problem').textContent = describeError(error);
      break;
    } finally {
      clearTimeout(timer);
      isWaiting = false;
    }
  }
  isComputing = false;
  render();
}

function show(next: Result): void {
  result = next;
  byId('p', 'problem').textContent = '';
  if (!hasNeuron(next.run, state.neuron)) change({ neuron: findLively(next.run) });
  render();
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

let isDue = false;
function render(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    const isChanged = hasEdits(state.edits) || state.order !== 'as-is' || models.isTrainedHere(state.model);
    byId('button', 'undo').disabled = !isChanged || training.isTraining();
    const [columns, isFileMissing] = [byId('div', 'columns'), wanted() === null];
    columns.hidden = result === null || isFileMissing;
    byId('div', 'answer').hidden = isFileMissing;
    columns.setAttribute('aria-busy', String(isWaiting));
    const neuron = result !== null && hasNeuron(result.run, state.neuron) ? state.neuron : null;
    const view = { state: { ...state, neuron }, result, isWaiting, isPlaying: player.isPlaying(), palette };
    for (const showPart of parts) showPart(view);
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
  byId('p', 'lost').hidden = ids.includes('own') || !location.hash.includes('clip=own');
  return parseAddress(location.hash, { models: payload.models.length, steps, clips: ids }, start);
}

/** An address that somebody enters; others are places on the page. */
addEventListener('hashchange', () => {
  if (location.hash.includes('=')) state = readAddress();
  change({});
});

function redraw(): void {
  palette = readPalette();
  render();
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
byId('button', 'undo').onclick = () => {
  models.restore(state.model);
  change({ edits: NO_EDITS, order: 'as-is' });
};

// A view that was sent to someone stands still, as it was sent.
const isSent = location.hash !== '';
change({});
if (!isSent && !matchMedia('(prefers-reduced-motion: reduce)').matches) player.play(true);
