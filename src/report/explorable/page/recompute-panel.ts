import { html, nothing } from 'lit-html';
import { capitalise, formatCount } from '../../../base/text.ts';
import { nameRun, type RunFacts } from '../../baseline/baseline.ts';
import { type ComparedValue, describeDigits, listResult } from '../../baseline/digits.ts';
import type { RecomputeEvent } from '../recompute.ts';
import { drawSelect } from './elements.ts';
import { type Request, recipe, startThread, takeError } from './networks.ts';
import { redraw } from './store.ts';

/** Where each phase begins in the whole, and what part of it is, in percent, as measured in Chromium. */
const SHARES = { simulation: [0, 45], frames: [45, 1], training: [46, 53], evaluation: [99, 1] } as const;
/** Values that the table shows even if they are the same. */
const SHOWN = /loss of epoch|accuracy|chosen|right after|SHA-256/;

const { models, baseline } = recipe;
let chosen = baseline.runs[0]!;
let thread: Worker | null = null;
/** Of the chosen run, by name. */
const found = new Map<string, ComparedValue>();
let progress = { text: '', percent: 0 };
let outcome = '';

export const isRecomputing = (): boolean => thread !== null;

function choose(run: RunFacts): void {
  chosen = run;
  found.clear();
  progress = { text: '', percent: 0 };
  outcome = '';
  redraw();
}

/** Computes the chosen run in a thread of its own. It sets no timers: browsers slow those of hidden pages down. */
function start(): void {
  choose(chosen);
  const startedMs = performance.now();
  const { model, seed } = chosen;
  thread = startThread();
  thread.onmessage = ({ data }: MessageEvent<RecomputeEvent>) => {
    if (data.kind === 'progress') {
      const seconds = (performance.now() - startedMs) / 1000;
      const { phase, done, total } = data;
      const [from, size] = SHARES[phase];
      const percent = from + (size * done) / total;
      const tens = Math.ceil((seconds / 10) * (100 / percent - 1));
      const left = percent === 0 ? '' : `About ${10 * tens} seconds left.`;
      progress = { text: `${capitalise(phase)}: ${done} of ${total}. ${left}`, percent };
    } else if (data.kind === 'compared') for (const one of data.values) found.set(one.name, one);
    else end(`Your browser got ${describeDigits(data.values)}.`);
    redraw();
  };
  thread.onerror = (event) => end(`Recomputing failed: ${takeError(event)}`);
  thread.postMessage({ kind: 'recompute', recipe, model, seed } satisfies Request);
}

function end(text: string): void {
  thread?.terminate();
  thread = null;
  outcome = text;
  redraw();
}

/** @param isTraining whether the page trains a network: one at a time */
export function drawRecompute(isTraining: boolean) {
  const [click, verb] = thread === null ? [start, 'Recompute this result'] : [() => end('Stopped.'), 'Stop'];
  const bar = html`<p><progress max="100" .value=${progress.percent} aria-label="Recomputed"></progress> ${progress.text}</p>`;
  return html`<section class="recompute" aria-labelledby="recompute">
    <h2 id="recompute">Recompute a result here</h2>
    <p>Your browser can compute a committed result of this project again, from nothing: it simulates the recordings, cuts
    the frames, draws the initial weights, trains ${formatCount(chosen.epochs, 'epoch')}, chooses one of them and answers
    ${formatCount(chosen.test.clips, 'test clip')}. It compares each value with the committed one, digit by digit. The
    results are those of profile ${baseline.profile}, as they are kept in this project. The run that made this page plays no
    part. It takes one to two minutes. The table shows the main values; any other appears if it differs.</p>
    <p>Frames, weights and predictions are compared to the last bit (SHA-256), other numbers to seven digits. If all are the
    same, the arithmetic repeats on your computer. That does not show that the code or the thesis is right: an error would
    repeat, too, and the recordings are simulated.</p>
    <div class="deeds">
      <fieldset ?disabled=${thread !== null}>
        ${drawSelect(
          'result',
          'Result',
          [baseline.runs.indexOf(chosen), (run) => choose(baseline.runs[run]!)],
          {
            '': baseline.runs.map((run, i) => [i, nameRun({ ...run, model: models[run.model]!.title })]),
          },
        )}
      </fieldset>
      ${
        // SHA-256 exists only there.
        isSecureContext
          ? html`<button type="button" ?disabled=${isTraining} @click=${click}>${verb}</button>`
          : html`<span>To recompute a result, open this page as a file or over https.</span>`
      }
      ${isTraining ? html`<span>A network is being trained. Stop it first.</span>` : nothing}
    </div>
    ${thread === null ? nothing : bar}
    <p role="status">${outcome}</p>
    ${drawTable()}
  </section>`;
}

function drawTable() {
  const committed = listResult(baseline.frames, chosen).map(({ name, value }): [string, ComparedValue] => {
    return [name, { name, value: '…', expected: value }];
  });
  const rows = [...new Map([...committed, ...found])].map(([name, one]) => {
    const state = !found.has(name) ? '' : one.value === one.expected ? 'same' : 'differs';
    if (state !== 'differs' && !SHOWN.test(name)) return nothing;
    return html`<tr class=${state}><th scope="row">${name}</th><td>${one.expected}</td><td>${one.value}</td></tr>`;
  });
  return html`<table>
    <thead><tr><th scope="col">Value</th><th scope="col">Committed</th><th scope="col">Your browser</th></tr></thead>
    <tbody>${rows}</tbody>
  </table>`;
}
