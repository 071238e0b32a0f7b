import { html, nothing, render } from 'lit-html';
import { formatAddress, hasEdits, NO_EDITS } from '../view-state.ts';
import { drawChooser, drawControls, drawPlayer, drawRounding, drawUnordered, play } from './controls.ts';
import { drawLayers } from './layers.ts';
import { missingNetwork, perceive, steps, trainedHere } from './networks.ts';
import { drawEditing, drawInspector, told } from './neuron.ts';
import { drawOwnClip } from './own-panel.ts';
import { drawRecompute, isRecomputing } from './recompute-panel.ts';
import { drawStage, tellAnswer } from './stage.ts';
import { change, showPage, stateNow, type View } from './store.ts';
import { drawTraining, isTraining } from './train-panel.ts';

/** All of the page below its title. */
function drawPage(view: View) {
  const { state, result, isWaiting, problem } = view;
  const missing = missingNetwork(state);
  const isChanged = hasEdits(state.edits) || state.order !== 'as-is' || trainedHere.has(state.model);
  return html`
    <p class="introduction">A trained spiking network ${perceive}s a clip of ${steps} frames of events, and runs in your
    browser while you watch. Each of its neurons gathers input, leaks it with its time constant τ, and fires when it
    reaches the threshold. Things to try: give it the clip backwards; make every neuron remember twice as long; choose a
    clip on which the networks disagree; <a href="#recompute">recompute a committed result</a>, digit by digit.</p>
    ${drawControls(view)}
    ${missing === undefined ? drawRounding(view) : drawChooser(missing)}
    ${drawUnordered(view)}
    <p class="problem" role="alert">${problem}</p>
    <div class="top">
      ${missing === undefined ? drawPlayer(view) : nothing}
      <div class="answer" ?hidden=${missing !== undefined}>
        <p role="status" id="sentence">${tellAnswer(view)}</p>
        <div class="deeds">
          <button type="button" ?disabled=${!isChanged || isTraining()} @click=${undo}>Undo all changes</button>
          <button type="button" aria-live="polite" @click=${copyLink}>${formatAddress(state) === copied.view ? copied.text : 'Copy link'}</button>
        </div>
      </div>
    </div>
    ${
      result === null || missing !== undefined
        ? nothing
        : html`<div class="columns" id="columns" aria-busy=${isWaiting}>
            <div>${drawStage(view, result)} ${drawLayers(view, result)}</div>
            <div class="side">${drawInspector(view, result)} ${drawEditing(view)}</div>
          </div>`
    }
    ${drawTraining(view, isRecomputing())}
    ${drawOwnClip()}
    ${drawRecompute(isTraining())}
    <p class="unseen" role="status">${told}</p>`;
}

function undo(): void {
  trainedHere.delete(stateNow().model);
  change({ edits: NO_EDITS, order: 'as-is' });
}

/** What came of copying the link to a view; told until the view is another one. */
let copied = { view: '', text: '' };

async function copyLink(): Promise<void> {
  // The link is to the step that one sees.
  play(false);
  const view = formatAddress(stateNow());
  const text = await navigator.clipboard.writeText(new URL(view, location.href).href).then(
    () => 'Link copied',
    () => 'Copy it from the address bar',
  );
  copied = { view, text };
  change({});
}

const root = document.getElementById('explore')!;
// A view that was sent to someone stands still, as it was sent.
const isSent = location.hash !== '';
showPage((view) => render(drawPage(view), root));
if (!isSent && !matchMedia('(prefers-reduced-motion: reduce)').matches) play(true);
