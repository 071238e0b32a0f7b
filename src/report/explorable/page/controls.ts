import { html, nothing } from 'lit-html';
import { live } from 'lit-html/directives/live.js';
import { formatPercent } from '../../../base/text.ts';
import type { EmbeddedClip } from '../payload.ts';
import { ORDERS } from '../view-state.ts';
import { describeFileError } from '../words.ts';
import { drawSelect, type EventAt, listEntries } from './elements.ts';
import { missingNetwork, ofRun, openNetwork, payload, steps, titleNetwork, trainedHere } from './networks.ts';
import { change, clipOf, stateNow, type View } from './store.ts';

/** Which network sees which clip, in which order, and what runs beside it. */
export function drawControls({ state }: View) {
  const networks = payload.models.map(({ test }, model) => {
    const accuracy = trainedHere.has(model) ? '' : ` (${formatPercent(test.correct / test.clips)})`;
    return [model, `${titleNetwork(model)}${accuracy}`] as const;
  });
  const listClips = (role: EmbeddedClip['role'], describe: (clip: EmbeddedClip, i: number) => string) =>
    payload.clips
      .filter((clip) => clip.role === role)
      .map((clip, i) => [clip.id, `${payload.classes[clip.class]}${describe(clip, i)}`] as const);
  const made = clipOf('own');
  const clips = {
    'One of each class': listClips('example', () => ''),
    'The networks disagree': listClips('disagreement', ({ answers, class: label }, i) => {
      const right = answers.filter((answer) => answer === label).length;
      return `, clip ${i + 1} (${right} of ${answers.length} networks right)`;
    }),
    'Your own': made === null ? [] : [['own', made.title] as const],
  };
  const frozen = Array.from({ length: steps }, (_, step) => [step, `frozen at step ${step + 1}`] as const);
  const orders = { '': listEntries(ORDERS), 'One frame again and again': frozen };
  const others = { '': [[null, 'nothing'] as const, ...networks] };
  return html`<div class="controls" id="controls">
    ${drawSelect('network', 'Network (accuracy on test clips)', [state.model, (model) => change({ model })], {
      '': networks,
    })}
    ${drawSelect('clip', 'Clip', [state.clip, (clip) => change({ clip, step: 0 })], clips)}
    ${drawSelect('frames', 'Frames', [state.order, (order) => change({ order })], orders)}
    ${drawSelect('beside', 'Beside it, as trained', [state.beside, (beside) => change({ beside })], others)}
  </div>`;
}

let refusal = '';

/** Which of the networks has rounded weights here. */
export function drawRounding({ state: { model, beside } }: View) {
  const titles = [model, beside ?? model]
    .filter((one, i, all) => payload.models[one]!.rounded.length > 0 && all.indexOf(one) === i)
    .map((one) => payload.models[one]!.title);
  if (titles.length === 0) return nothing;
  return html`<p class="account">The weights of ${titles.join(' and ')} are rounded to 8 bits, so that they fit into this
  page; time constants are not. Accuracies and answers in the lists are from before the rounding.</p>`;
}

/** Which of the networks expects other frames than this page shows. */
export function drawUnordered({ state: { model, beside } }: View) {
  const some = [model, beside ?? model].map((one) => payload.models[one]!).find((one) => one.frameOrder);
  if (some === undefined) return nothing;
  const order = some.frameOrder === 'mean' ? 'each clip’s mean frame' : 'shuffled frames';
  return html`<p class="account">${some.title} was trained and tested on ${order}, as its accuracy in the list says. This
  page shows it the frames as chosen above, and trains it on recorded ones.</p>`;
}

/** Asks for the file of a network that is too large for the page. */
export function drawChooser(model: number) {
  const { id, title, seed } = payload.models[model]!;
  const choose = async ({ currentTarget: input }: EventAt<HTMLInputElement>) => {
    const file = input.files?.[0];
    if (file === undefined) return;
    try {
      refusal = '';
      ofRun.set(model, openNetwork(model, new Uint8Array(await file.arrayBuffer()), file.name));
    } catch (error) {
      refusal = describeFileError(error, file.name);
    }
    input.value = '';
    change({});
  };
  return html`<section class="chooser">
    <p>${title} is too large for this page. Choose its file: artifacts/train/${id}/${seed}/best.safetensors.
    It stays on this computer.</p>
    <input type="file" accept=".safetensors" aria-label="File of the network" @change=${choose}>
    <p role="alert">${refusal}</p>
  </section>`;
}

/** Slow enough to follow, fast enough to look like a movement. */
const STEP_MS = 180;
/** The last step stays longer: it shows the decision. */
const END_MS = 1200;
const last = steps - 1;
let timer = 0;

export function isPlaying(): boolean {
  return timer !== 0;
}

/** Plays the clip again and again, or no longer; not while there is nothing to see. */
export function play(on: boolean): void {
  clearTimeout(timer);
  const canPlay = on && missingNetwork(stateNow()) === undefined;
  timer = canPlay ? window.setTimeout(advance, stateNow().step === last ? END_MS : STEP_MS) : 0;
  change({});
}

function advance(): void {
  change({ step: (stateNow().step + 1) % steps });
  play(true);
}

function goTo(step: number): void {
  play(false);
  change({ step: Math.min(last, Math.max(0, step)) });
}

// By keys anywhere on the page.
addEventListener('keydown', (event) => {
  const { key, target, defaultPrevented, ctrlKey, metaKey, altKey } = event;
  if (defaultPrevented || ctrlKey || metaKey || altKey || !(target instanceof Element)) return;
  const ownKeys =
    key === ' ' ? 'button, select, summary, a, input:not([type=range])' : 'select, input, textarea';
  if (target.closest(ownKeys) !== null) return;
  if (key === ' ') play(!isPlaying());
  else if (key === 'ArrowRight') goTo(stateNow().step + 1);
  else if (key === 'ArrowLeft') goTo(stateNow().step - 1);
  else return;
  event.preventDefault();
});

export function drawPlayer({ state: { step } }: View) {
  const text = `step ${step + 1} of ${steps}`;
  const slide = ({ currentTarget }: EventAt<HTMLInputElement>) => goTo(currentTarget.valueAsNumber - 1);
  return html`<div class="player">
    <button type="button" class="play" @click=${() => play(!isPlaying())}>${isPlaying() ? 'Pause' : 'Play'}</button>
    <input type="range" min="1" max=${steps} .value=${live(String(step + 1))} aria-label="Step" aria-valuetext=${text}
      @input=${slide}>
    <output class="step">${text}</output>
  </div>`;
}
