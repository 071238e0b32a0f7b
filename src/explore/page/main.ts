import { html, nothing, render } from 'lit-html';
import { hasEdits, NO_EDITS } from '../view-state.ts';
import { drawChooser, drawControls, drawPlayer, play } from './controls.ts';
import { drawLayers } from './layers.ts';
import { networkOfRun, steps, trainedHere } from './networks.ts';
import { drawEditing, drawInspector, told } from './neuron.ts';
import { drawOwnClip } from './own-panel.ts';
import { drawStage, tellAnswer } from './stage.ts';
import { change, show, stateNow, type View } from './store.ts';
import { drawTraining, isTraining } from './train-panel.ts';

/** All of the page below its title. */
function drawPage(view: View) {
  const { state, result, isWaiting, problem, isLost } = view;
  const missing = [state.model, state.beside ?? state.model].find((model) => networkOfRun(model) === null);
  const isChanged = hasEdits(state.edits) || state.order !== 'as-is' || trainedHere.has(state.model);
  return html`
    <p class="introduction">A trained spiking network watches a clip of ${steps} frames of events, and runs in your
    browser while you watch. Each of its neurons gathers input, leaks it with its time constant τ, and fires when it
    reaches the threshold. Things to try: show it the clip backwards; make every neuron remember twice as long; choose a
    clip on which the networks disagree.</p>
    ${drawControls(view)}
    ${missing === undefined ? nothing : drawChooser(missing)}
    <p class="problem" role="status">${isLost && result !== null ? LOST : ''}</p>
    <p class="problem" role="alert">${problem}</p>
    <div class="top">
      ${drawPlayer(view)}
      <div class="answer" ?hidden=${missing !== undefined}>
        <p role="status" id="sentence">${tellAnswer(view)}</p>
        <button type="button" ?disabled=${!isChanged || isTraining()} @click=${undo}>Undo all changes</button>
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
    ${drawTraining(view)}
    ${drawOwnClip()}
    <p class="unseen" role="status">${told}</p>`;
}

const LOST =
  'The clip of this link was made by its sender and stayed on the sender’s computer. Another clip is shown in its place.';

function undo(): void {
  trainedHere.delete(stateNow().model);
  change({ edits: NO_EDITS, order: 'as-is' });
}

const root = document.getElementById('explore')!;
// A view that was sent to someone stands still, as it was sent.
const isSent = location.hash !== '';
show((view) => render(drawPage(view), root));
if (!isSent && !matchMedia('(prefers-reduced-motion: reduce)').matches) play(true);
