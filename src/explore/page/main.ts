import { describeError } from '../../errors.ts';
import { buildNetwork } from '../../snn/networks.ts';
import { spikingLayers } from '../../snn/spec.ts';
import { countElements } from '../../snn/tensor.ts';
import { formatAddress, parseAddress, type Scope } from '../address.ts';
import { hasEdits } from '../edits.ts';
import type { Frames } from '../messages.ts';
import { unpack } from '../packing.ts';
import type { Payload } from '../payload.ts';
import { NO_EDITS, type ViewState } from '../view-state.ts';
import { readPalette } from './canvas.ts';
import { makeControls } from './controls.ts';
import { byId } from './dom.ts';
import { makeEditing } from './editing.ts';
import { makeInspector } from './inspector.ts';
import { makeLayers } from './layers.ts';
import { writeMarkup } from './markup.ts';
import { Models } from './models.ts';
import { makeOwnClip } from './own-clip.ts';
import { makePlayer } from './player.ts';
import { makeRuns, type Result, type Run } from './runs.ts';
import { makeAccount, makeStage } from './stage.ts';
import { startThread } from './thread.ts';
import { makeTraining } from './train-panel.ts';
import type { OwnClip, Page } from './view.ts';

const payload: Payload = JSON.parse(document.getElementById('payload')?.textContent ?? '');
const { steps } = payload.frames;
byId('div', 'explore').innerHTML = writeMarkup(payload);
const ask = startThread();
const models = new Models(payload);
const clips = new Map<string, Frames>();
const [columns, problem, lost] = [byId('div', 'columns'), byId('p', 'problem'), byId('p', 'lost')];
const undo = byId('button', 'undo');
const prefersStill = matchMedia('(prefers-reduced-motion: reduce)');
let own: OwnClip | null = null;
let result: Result | null = null;
let palette = readPalette();

const start: ViewState = {
  ...{ model: 0, beside: null, clip: payload.clips[0]!.id, step: 0, order: 'as-is' },
  ...{ show: 'spikes', neuron: null, edits: NO_EDITS },
};
const scope: Scope = {
  models: payload.models.length,
  get clips() {
    const shown = payload.clips.filter(({ role }) => role === 'example' || role === 'disagreement');
    return [...shown.map(({ id }) => id), ...(own === null ? [] : ['own'])];
  },
  steps,
  neurons: (model) =>
    spikingLayers(buildNetwork(payload.models[model]!.config)).map(({ shape }) => countElements(shape)),
};
let state = readAddress();

const page: Page = {
  ...{ payload, ask, models, change },
  state: () => state,
  present(patch) {
    change({ beside: null, order: 'as-is', edits: NO_EDITS, ...patch, step: 0 });
    if (!prefersStill.matches) player.play(true);
  },
  get own() {
    return own;
  },
  addClip(clip) {
    own = clip;
    const { beside, edits } = state;
    page.present({ clip: 'own', beside, edits });
  },
  labelOf: (clip) => payload.clips.find(({ id }) => id === clip)?.class ?? null,
  framesOf(clip) {
    if (clip === 'own' && own !== null) return own.frames;
    const frames = clips.get(clip) ?? unpack(payload.clips.find(({ id }) => id === clip)!.frames);
    clips.set(clip, frames);
    return frames;
  },
};

const run = makeRuns(ask, models, steps, {
  show,
  fail(error) {
    problem.textContent = describeError(error);
  },
  wait(isWaiting) {
    columns.setAttribute('aria-busy', String(isWaiting));
  },
});
const player = makePlayer(page);
const training = makeTraining(page);
const parts = [
  ...[makeControls(page), player.show, makeStage(page), makeLayers(page)],
  ...[makeInspector(page), makeEditing(page), training.show, makeAccount()],
];
makeOwnClip(page);

function change(patch: Partial<ViewState>, isNewPlace = true): void {
  const isPlayedStep = player.isPlaying() && Object.keys(patch).join() === 'step';
  const { model, edits } = state;
  state = { ...state, ...patch, ...(training.isTraining() ? { model, edits } : {}) };
  if (patch.clip !== undefined && isNewPlace) lost.hidden = true;
  if (!isPlayedStep) {
    const network = models.inUse(state.model);
    if (network !== null && !isFileMissing()) run({ ...state, frames: page.framesOf(state.clip), network });
    keepAddress(isNewPlace);
  }
  render();
}

/** Whether the reader must first choose the file of a network. */
function isFileMissing(): boolean {
  return [state.model, state.beside].some((model) => model !== null && models.ofRun(model) === null);
}

function show(next: Result): void {
  result = next;
  problem.textContent = '';
  const { neuron } = state;
  const layer = neuron === null ? undefined : next.run.neurons[neuron.layer];
  if (neuron === null || layer === undefined || neuron.index >= layer.leaks.length) {
    state = { ...state, neuron: findLively(next.run) };
    keepAddress(false);
  }
  render();
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
    const isTraining = training.isTraining();
    const canUndo = hasEdits(state.edits) || state.order !== 'as-is' || models.stepsHere(state.model) > 0;
    undo.disabled = isTraining || !canUndo;
    columns.hidden = result === null || isFileMissing();
    const view = { state, result, isPlaying: player.isPlaying(), isTraining, palette };
    for (const showPart of parts) showPart(view);
  });
}

let timer = 0;
/** Whether the reader changed something that the address does not have yet. */
let isAddressOld = false;
/** Browsers allow few changes of the address a second. A change of the step alone does not add to the history. */
function keepAddress(isNewPlace: boolean): void {
  isAddressOld ||= isNewPlace;
  clearTimeout(timer);
  timer = setTimeout(() => {
    const address = formatAddress(state);
    const placeOf = (one: string) => one.replace(/&step=\d+|&neuron=[\d.]+/g, '');
    const isNew = isAddressOld && placeOf(address) !== placeOf(location.hash);
    isAddressOld = false;
    history[isNew ? 'pushState' : 'replaceState'](models.stepsHere(state.model), '', address);
  }, 300);
}

function readAddress(): ViewState {
  lost.hidden = own !== null || !/[#&]clip=own(&|$)/.test(location.hash);
  const view = parseAddress(location.hash, scope, start);
  const stepsNow = models.stepsHere(view.model);
  // Edits apply only to the network that they were made for: they are dropped if it was trained since. A pasted address has no such state.
  const isSameNetwork = (history.state ?? stepsNow) === stepsNow;
  return isSameNetwork ? view : { ...view, edits: NO_EDITS };
}

addEventListener('popstate', () => {
  // A place on the page, such as that of the link which skips its head.
  if (document.getElementById(location.hash.slice(1)) !== null) return;
  player.play(false);
  isAddressOld = false;
  change(readAddress(), false);
});

function redraw(): void {
  palette = readPalette();
  render();
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
addEventListener('resize', redraw);
undo.onclick = () => {
  models.restore(state.model);
  change({ edits: NO_EDITS, order: 'as-is' });
};

// A view that was sent to someone stands still, as it was sent.
const isSent = location.hash !== '';
change({}, false);
if (!isSent && !prefersStill.matches) player.play(true);
