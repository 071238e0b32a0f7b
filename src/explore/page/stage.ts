import { escapeMarkup } from '../../text.ts';
import { leadersOf, type Outcome } from '../outcome.ts';
import {
  capitalise,
  describeChange,
  describeEvents,
  describeOutcome,
  describeVotes,
  nameClass,
  type Votes,
} from '../words.ts';
import { byId, setText } from './dom.ts';
import type { Result } from './networks.ts';
import { drawPixels, LEVELS, type Palette } from './pixels.ts';
import type { Page, Part } from './view.ts';

/** The clip, what the network makes of it, and the effect of the reader's changes. */
export function makeStage(page: Page): Part {
  const { classes } = page.payload;
  return ({ state: { step }, result, palette, isWaiting }) => {
    if (isWaiting) setText(byId('p', 'sentence'), 'Computing …');
    if (result === null) return;
    if (!isWaiting) setText(byId('p', 'sentence'), tellResult(page, result));
    const { run, beside, wanted } = result;
    drawEvents(page, run.frames, step, palette);
    const votes = {
      ...{ classes, label: wanted.clip.label, scores: run.outcome.scores[step]! },
      beside: beside && beside.outcome.scores[step]!,
    };
    byId('div', 'votes').innerHTML = writeVotes(votes);
    byId('div', 'votes').setAttribute('aria-label', describeVotes(votes));
    byId('span', 'votes-beside').hidden = beside === null;
    byId('table', 'counts').innerHTML = writeCounts(page, result, step);
  };
}

/** What the changes did; without changes, what the network answers. */
function tellResult(
  { payload: { classes, models } }: Page,
  { wanted, run, trained, beside }: Result,
): string {
  const known = { classes, label: wanted.clip.label };
  const own =
    trained === run
      ? describeOutcome(run.outcome, known)
      : describeChange(run.outcome, trained.outcome, known);
  if (beside === null) return own;
  if (beside === run) return `${own} Beside it is the same network: all spikes are equal.`;
  const { title } = models[beside.network.model]!;
  return `${own} Beside it, ${title}, as trained: ${describeOutcome(beside.outcome, known)}`;
}

/** Spikes and operations up to the step, and the decision, of the network and of the one beside it. */
function writeCounts({ payload, models }: Page, { run, beside }: Result, step: number): string {
  const runs = beside === null ? [run] : [run, beside];
  const row = (name: string, read: (outcome: Outcome) => string) =>
    `<tr><th scope="row">${name}</th>${runs.map(({ outcome }) => `<td>${escapeMarkup(read(outcome))}</td>`).join('')}</tr>`;
  const format = (soFar: readonly number[]) => soFar[step]!.toLocaleString('en-US');
  const heads = runs.map(({ network }, i) => {
    const title = models.title(network.model, network);
    return `<th>${escapeMarkup(i === 0 ? title : `${title}, as trained`)}</th>`;
  });
  const rows = [
    row('Spikes so far', ({ spikes }) => format(spikes)),
    row('Synaptic operations so far', ({ operations }) => format(operations)),
    row('Decision at the end', ({ decision }) => capitalise(nameClass(decision, payload.classes))),
    row('In the lead for good from step', ({ decidedAt }) =>
      decidedAt === null ? '–' : String(decidedAt + 1),
    ),
  ];
  return `<thead><tr><td></td>${heads.join('')}</tr></thead><tbody>${rows.join('')}</tbody>`;
}

/** Opacity of a single event. */
const FAINTEST = 0.3;

/** Draws the events of a step: stronger for more events; where there are both kinds, the more frequent one. */
function drawEvents({ payload }: Page, frames: ArrayLike<number>, step: number, palette: Palette): void {
  const size = payload.frames.height * payload.frames.width;
  let on = 0;
  let off = 0;
  const pixels = new Uint32Array(size).map((_, i) => {
    const [darker, brighter] = [frames[2 * step * size + i]!, frames[(2 * step + 1) * size + i]!];
    on += Number(brighter > 0);
    off += Number(darker > 0);
    const strength = 1 - (1 - FAINTEST) ** Math.max(brighter, darker);
    return palette[brighter >= darker ? 'on' : 'off'][Math.round(strength * (LEVELS - 1))]!;
  });
  const canvas = byId('canvas', 'events');
  drawPixels(canvas, payload.frames.width, pixels);
  canvas.setAttribute('aria-label', describeEvents(step, on, off));
}

/** A bar for each class, with marks for the leading and the true class; a thin one for the model beside. */
function writeVotes({ classes, scores, label, beside }: Votes): string {
  const [leaders, leadersBeside] = [leadersOf(scores), leadersOf(beside ?? [])];
  const bar = (score: number) => `<i style="width: ${100 * score}%"></i>`;
  const rows = classes.map((name, index) => {
    const marks = [
      index === label ? '●' : '',
      leadersBeside.includes(index) ? '▷' : '',
      leaders.includes(index) ? '▶' : '',
    ];
    return `<div class="${leaders.includes(index) ? 'leads' : ''}"><span class="mark">${marks.join('')}</span>
      <span class="name">${escapeMarkup(name)}</span>
      <span class="track">${bar(scores[index]!)}${beside ? bar(beside[index]!) : ''}</span>
      <span class="number">${scores[index]!.toFixed(2)}</span></div>`;
  });
  return rows.join('');
}
