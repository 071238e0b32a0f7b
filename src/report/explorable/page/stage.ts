import { html, nothing } from 'lit-html';
import { capitalise } from '../../../base/text.ts';
import {
  type ClipOutcome,
  describeChange,
  describeClipOutcome,
  describeEvents,
  describeVotes,
  leadersOf,
  nameClass,
  type Votes,
} from '../words.ts';
import { fillPixels, LEVELS } from './elements.ts';
import { hearsSound, payload, perceive, type Result, titleNetwork } from './networks.ts';
import type { View } from './store.ts';

const { classes } = payload;

/** What the reader's changes did; without changes, what the network answers. */
export function tellAnswer({ isWaiting, result }: View): string {
  if (isWaiting) return 'Computing …';
  if (result === null) return '';
  const { clip, run, trained, beside } = result;
  const known = { classes, label: clip.label };
  const own =
    trained === run
      ? describeClipOutcome(run.outcome, known)
      : describeChange(run.outcome, trained.outcome, known);
  if (beside === null) return own;
  if (beside === run) return `${own} Beside it is the same network: all spikes are equal.`;
  const { title } = payload.models[beside.network.model]!;
  return `${own} Beside it, ${title}, as trained: ${describeClipOutcome(beside.outcome, known)}`;
}

/** The votes up to a step. */
export function votesOf({ run, beside, clip }: Result, step: number): Votes {
  const [own, other] = [run, beside].map((one) => one?.outcome.soFar[step]);
  return { classes, label: clip.label, scores: own!.scores, beside: other?.scores ?? null };
}

/** The clip, and what the network makes of it. */
export function drawStage(view: View, result: Result) {
  const votes = votesOf(result, view.state.step);
  const { title, sound } = result.clip;
  return html`<section class="stage" aria-label="Clip and votes">
    <div class="scene">
      <h2>What the network ${perceive}s</h2>
      ${drawEvents(view, result.run.frames)}
      <p class="scale">
        <span><i class="one on"></i>ON events (${hearsSound ? 'louder' : 'brighter'})</span>
        <span><i class="one off"></i>OFF events (${hearsSound ? 'quieter' : 'darker'})</span>
      </p>
      ${sound ? html`<audio controls src=${sound} aria-label=${title}></audio><a href=${sound} download=${title}>Save this sound</a>` : nothing}
    </div>
    <div class="verdict">
      <h2>How its outputs vote</h2>
      <div class="votes" role="img" aria-label=${describeVotes(votes)}>${drawVotes(votes)}</div>
      <p class="account">▶ leads so far (several: a tie), ● true class${
        result.beside === null ? nothing : '; ▷ and thin bars: the model beside'
      }</p>
      ${drawCounts(result, view.state.step)}
    </div>
  </section>`;
}

/** Spikes and operations up to the step, and the decision, of the network and of the one beside it. */
function drawCounts({ run, beside }: Result, step: number) {
  const runs = beside === null ? [run] : [run, beside];
  const row = (name: string, read: (outcome: ClipOutcome) => string) =>
    html`<tr><th scope="row">${name}</th>${runs.map(({ outcome }) => html`<td>${read(outcome)}</td>`)}</tr>`;
  const heads = runs.map(({ network }, i) => {
    const title = titleNetwork(network.model, network);
    return html`<th>${i === 0 ? title : `${title}, as trained`}</th>`;
  });
  return html`<table class="counts">
    <thead><tr><td></td>${heads}</tr></thead>
    <tbody>
      ${row('Spikes so far', ({ soFar }) => soFar[step]!.spikes.toLocaleString('en-US'))}
      ${row('Synaptic operations so far', ({ soFar }) => soFar[step]!.operations.toLocaleString('en-US'))}
      ${row('Decision at the end', ({ decision }) => capitalise(nameClass(decision, classes)))}
      ${row('In the lead for good from step', ({ decidedAt }) => (decidedAt === null ? '–' : `${decidedAt + 1}`))}
    </tbody>
  </table>`;
}

/** Opacity of a single event. */
const FAINTEST = 0.3;

/**
 * The events of a step: stronger for more events; where there are both kinds, the more frequent one. Of a sensor with one row, those of all steps so
 * far: time from left to right, the first column at the bottom.
 */
function drawEvents({ state: { step }, palette }: View, frames: ArrayLike<number>) {
  const { height, width, splitBy, durationUs = 0 } = payload.frames;
  const size = height * width;
  const countAt = (at: number, polarity: 0 | 1, i: number): number => frames[(2 * at + polarity) * size + i]!;
  const colour = (at: number, i: number): number => {
    const [off, on] = [countAt(at, 0, i), countAt(at, 1, i)];
    const strength = 1 - (1 - FAINTEST) ** Math.max(on, off);
    return palette[on >= off ? 'on' : 'off'][Math.round(strength * (LEVELS - 1))]!;
  };
  const steps = frames.length / (2 * size);
  const turned = (_: number, place: number): number => {
    const at = place % steps;
    return at > step ? palette.on[0]! : colour(at, width - 1 - Math.floor(place / steps));
  };
  const pixels =
    height === 1
      ? new Uint32Array(width * steps).map(turned)
      : new Uint32Array(size).map((_, i) => colour(step, i));
  const count = (polarity: 0 | 1): number =>
    Array.from({ length: size }, (_, i) => countAt(step, polarity, i)).filter((events) => events > 0).length;
  const noun = height > 1 ? 'pixel' : hearsSound ? 'band' : 'column';
  const label = describeEvents(step, count(1), count(0), noun);
  const canvas = html`<canvas class="events" role="img" aria-label=${label} ${fillPixels(height === 1 ? steps : width, pixels)}></canvas>`;
  if (height > 1) return canvas;
  const [unit, end] = splitBy === 'duration' ? ['ms', (steps * durationUs) / 1000] : ['steps', steps];
  return html`<div class="axes">
    <span><i>1</i>${noun}<i>${width}</i></span>${canvas}
    <span><i>0</i>time, ${unit}<i>${end.toLocaleString('en-US')}</i></span>
  </div>`;
}

/** A bar for each class, with marks for the leading and the true class; a thin one for the model beside. */
function drawVotes({ scores, label, beside }: Votes) {
  const [leaders, leadersBeside] = [leadersOf(scores), leadersOf(beside ?? [])];
  const bar = (score: number) => html`<i style="width: ${100 * score}%"></i>`;
  return classes.map((name, index) => {
    const marks = [
      index === label ? '●' : '',
      leadersBeside.includes(index) ? '▷' : '',
      leaders.includes(index) ? '▶' : '',
    ];
    return html`<div class=${leaders.includes(index) ? 'leads' : ''}>
      <span class="mark">${marks.join('')}</span>
      <span class="name">${name}</span>
      <span class="track">${bar(scores[index]!)}${beside ? bar(beside[index]!) : nothing}</span>
      <span class="number">${scores[index]!.toFixed(2)}</span>
    </div>`;
  });
}
