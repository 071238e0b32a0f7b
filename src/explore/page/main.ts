import { describeError } from '../../errors.ts';
import { spikingLayers } from '../../snn/spec.ts';
import { countElements } from '../../snn/tensor.ts';
import { formatAddress, parseAddress, type Scope } from '../address.ts';
import { hasEdits } from '../edits.ts';
import type { Frames } from '../messages.ts';
import { unpack } from '../packing.ts';
import type { Payload } from '../payload.ts';
import { NO_EDITS, type ViewState } from '../view-state.ts';
import { makeAccount } from './account.ts';
import { makeControls } from './controls.ts';
import { element } from './dom.ts';
import { makeEditing } from './editing.ts';
import { makeFileChooser } from './file-chooser.ts';
import { makeInspector } from './inspector.ts';
import { makeLayers } from './layers.ts';
import { Models } from './models.ts';
import { makeOwnClipPanel } from './own-clip-panel.ts';
import { PageWorker } from './page-worker.ts';
import { readPalette } from './palette.ts';
import { makePlayer } from './player.ts';
import { makeRuns, type Result, type Run } from './runs.ts';
import { makeStage } from './stage.ts';
import { makeTrainPanel } from './train-panel.ts';
import type { OwnClip, Page, Part } from './view.ts';

const payload: Payload = JSON.parse(document.getElementById('payload')?.textContent ?? '');
const { steps } = payload.frames;
const worker = new PageWorker();
const models = new Models(payload, worker);
const clips = new Map<string, Frames>();
const problem = element('p', { class: 'problem', role: 'alert' });
let own: OwnClip | null = null;
let result: Result | null = null;
let palette = readPalette();

const start: ViewState = {
  model: 0,
  beside: null,
  clip: payload.clips[0]!.id,
  step: 0,
  order: 'as-is',
  frozenAt: 0,
  show: 'spikes',
  neuron: null,
  edits: NO_EDITS,
};
const scope: Scope = {
  models: payload.models.length,
  get clips() {
    const shown = payload.clips.filter(({ role }) => role === 'example' || role === 'disagreement');
    return [...shown.map(({ id }) => id), ...(own === null ? [] : ['own'])];
  },
  steps,
  neurons: (model) => spikingLayers(models.spec(model)).map(({ shape }) => countElements(shape)),
};
const lost = element(
  'p',
  { class: 'problem', role: 'status', hidden: true },
  'The clip of this link was made by its sender and stayed on the sender’s computer. Another clip is shown in its place.',
);
const prefersStill = matchMedia('(prefers-reduced-motion: reduce)');
let state = readAddress();

const page: Page = {
  payload,
  worker,
  models,
  state: () => state,
  change,
  present(patch) {
    change({ beside: null, order: 'as-is', frozenAt: 0, edits: NO_EDITS, ...patch, step: 0 });
    if (!prefersStill.matches) player.play(true);
  },
  undo() {
    models.restore(state.model);
    change({ edits: NO_EDITS, order: 'as-is', frozenAt: 0 });
  },
  canUndo: () =>
    !training.isTraining() &&
    (hasEdits(state.edits) || state.order !== 'as-is' || models.isReplaced(state.model)),
  missingModel: () =>
    [state.model, state.beside].find((model) => model !== null && models.values(model, 'in-use') === null) ??
    null,
  ownClip: () => own,
  addClip(clip) {
    own = clip;
    const { beside, edits } = state;
    page.present({ clip: 'own', beside, edits });
  },
  labelOf: (clip) => payload.clips.find(({ id }) => id === clip)?.class ?? null,
  framesOf(clip) {
    if (clip === 'own' && own !== null) return own.frames;
    const known = clips.get(clip);
    if (known !== undefined) return known;
    const embedded = payload.clips.find(({ id }) => id === clip);
    if (embedded === undefined) throw new Error(`There is no clip "${clip}".`);
    const frames = unpack(embedded.frames);
    clips.set(clip, frames);
    return frames;
  },
};

const run = makeRuns(page, {
  show,
  fail(error) {
    problem.textContent = describeError(error);
  },
  wait(isWaiting) {
    columns.setAttribute('aria-busy', String(isWaiting));
  },
});
const player = makePlayer(page);
const top = [makeControls(page), player, makeFileChooser(page)];
const middle = [makeStage(page), makeLayers(page)];
const side = [makeInspector(page), makeEditing(page)];
const training = makeTrainPanel(page);
const account = makeAccount(page);

function change(patch: Partial<ViewState>, isNewPlace = true): void {
  const isPlayedStep = player.isPlaying() && Object.keys(patch).join() === 'step';
  const { model, edits } = state;
  state = { ...state, ...patch, ...(training.isTraining() ? { model, edits } : {}) };
  if (patch.clip !== undefined && isNewPlace) lost.hidden = true;
  if (!isPlayedStep) {
    if (page.missingModel() === null)
      run({
        ...state,
        frames: page.framesOf(state.clip),
        values: models.values(state.model, 'in-use'),
      });
    keepAddress(isNewPlace);
  }
  render();
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

/** A neuron that fires now and then; rather in the second layer, where maps are small enough to see it. */
function findLively({ neurons, trace }: Run): ViewState['neuron'] {
  const fires = trace.layers.map(({ spikes }) => spikes.some((spike) => spike > 0));
  const layer = Math.max(0, fires[1] ? 1 : fires.indexOf(true));
  const size = neurons[layer]!.leaks.length;
  const counts = new Uint32Array(size);
  trace.layers[layer]!.spikes.forEach((spike, i) => {
    counts[i % size]! += spike;
  });
  const surplus = (index: number) => Math.abs(counts[index]! - Math.ceil(steps / 4));
  return { layer, index: counts.reduce((best, _, i) => (surplus(i) < surplus(best) ? i : best), 0) };
}

let isDue = false;
function render(): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    const view = { state, result, isPlaying: player.isPlaying(), isTraining: training.isTraining(), palette };
    columns.hidden = result === null || page.missingModel() !== null;
    for (const part of [...top, ...middle, ...side, training, account]) part.show(view);
  });
}

let timer = 0;
/** Whether the reader changed something that the address does not have yet. */
let isChanged = false;
/** Browsers allow few changes of the address a second. A step alone is no new place in the history. */
function keepAddress(isNewPlace: boolean): void {
  isChanged ||= isNewPlace;
  clearTimeout(timer);
  timer = setTimeout(() => {
    const address = formatAddress(state);
    const withoutStep = (one: string) => one.replace(/&step=\d+|&neuron=[\d.]+/g, '');
    const isNew = isChanged && withoutStep(address) !== withoutStep(location.hash);
    isChanged = false;
    if (isNew) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  }, 300);
}

function readAddress(): ViewState {
  lost.hidden = own !== null || !/[#&]clip=own(&|$)/.test(location.hash);
  return parseAddress(location.hash, scope, start);
}

addEventListener('popstate', () => {
  // A place on the page, such as that of the link which skips its head.
  if (document.getElementById(location.hash.slice(1)) !== null) return;
  player.play(false);
  isChanged = false;
  change(readAddress(), false);
});

function redraw(): void {
  palette = readPalette();
  render();
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
addEventListener('resize', redraw);

const rootsOf = (parts: readonly Part[]): HTMLElement[] => parts.map(({ root }) => root);
const columns = element(
  'div',
  { class: 'columns' },
  element('div', {}, ...rootsOf(middle)),
  element('div', { class: 'side' }, ...rootsOf(side)),
);
document
  .getElementById('explore')
  ?.append(...rootsOf(top), lost, problem, columns, training.root, makeOwnClipPanel(page), account.root);
// A view that was sent to someone stands still, as it was sent.
const isSent = location.hash !== '';
change({}, false);
if (!isSent && !prefersStill.matches) player.play(true);
