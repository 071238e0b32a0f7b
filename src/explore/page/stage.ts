import { escapeMarkup } from '../../text.ts';
import type { Frames } from '../messages.ts';
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
import { type Palette, prepareCanvas, roomOf } from './canvas.ts';
import { byId, makeElement, setText } from './dom.ts';
import type { Result } from './runs.ts';
import type { Page, Part } from './view.ts';

/** A screen reader should hear where a slider came to rest, not each value on the way. */
const CALM_MS = 500;

/** The clip, what the network makes of it, and the effect of the reader's changes. */
export function makeStage(page: Page): Part {
  const { classes } = page.payload;
  const drawEvents = makeEvents(page);
  const drawVotes = makeVotes(classes);
  return ({ state: { step }, result, palette }) => {
    if (result === null) return;
    const { asked, run, beside } = result;
    drawEvents(run.frames, step, palette);
    drawVotes({
      ...{ classes, label: page.labelOf(asked.clip), scores: run.outcome.scores[step]! },
      ...(beside === null ? {} : { beside: beside.outcome.scores[step]! }),
    });
    byId('table', 'counts').innerHTML = writeCounts(page, result, step);
    byId('p', 'sentence').textContent = tellResult(page, result);
  };
}

/** Tells screen readers what the other parts say, but not each step while the clip plays. */
export function makeAccount(): Part {
  let told = '';
  let timer = 0;
  return ({ result, isPlaying }) => {
    if (result === null) return;
    const [sentence = '', ...others] = ['sentence', 'neuron-name', 'neuron-account'].map(
      (id) => byId('p', id).textContent,
    );
    const votes = byId('div', 'votes').getAttribute('aria-label');
    const text = isPlaying ? sentence : [sentence, votes, ...others].join(' ');
    if (text === told) return;
    told = text;
    clearTimeout(timer);
    timer = setTimeout(() => byId('p', 'account').replaceChildren(text), CALM_MS);
  };
}

/** What the changes did; without changes, what the network answers. */
function tellResult({ payload, labelOf }: Page, { asked, run, trained, beside }: Result): string {
  const known = { classes: payload.classes, label: labelOf(asked.clip) };
  const own =
    trained === run.outcome ? describeOutcome(trained, known) : describeChange(run.outcome, trained, known);
  if (beside === null) return own;
  const { title } = payload.models[beside.network.model]!;
  return `${own} Beside it, ${title}, as trained: ${describeOutcome(beside.outcome, known)}`;
}

/** Spikes and operations up to the step, and the decision, of the network and of the one beside it. */
function writeCounts({ payload, models }: Page, { run, beside }: Result, step: number): string {
  const outcomes = beside === null ? [run.outcome] : [run.outcome, beside.outcome];
  const titles = [models.title(run.network.model)];
  if (beside !== null) titles.push(`${payload.models[beside.network.model]!.title}, as trained`);
  const row = (name: string, read: (outcome: Outcome) => string) =>
    `<tr><th scope="row">${name}</th>${outcomes.map((one) => `<td>${escapeMarkup(read(one))}</td>`).join('')}</tr>`;
  const format = (soFar: readonly number[]) => soFar[step]!.toLocaleString('en-US');
  const heads = titles.map((title) => `<th>${escapeMarkup(title)}</th>`);
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

/** Draws the events of a step: ON (brighter) as full squares, OFF (darker) as smaller ones, which may lie on them; stronger for more events. */
function makeEvents({
  payload: {
    frames: { height, width },
  },
}: Page) {
  const canvas = byId('canvas', 'events');
  return (frames: Frames, step: number, palette: Palette): void => {
    const cell = Math.max(1, Math.floor((roomOf(canvas) * devicePixelRatio) / width));
    const context = prepareCanvas(canvas, cell * width, cell * height);
    context.fillStyle = palette.tint;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const drawPolarity = (polarity: 0 | 1, color: string, inset: number) => {
      const start = (2 * step + polarity) * height * width;
      context.fillStyle = color;
      let pixels = 0;
      for (let i = 0; i < height * width; i++) {
        const count = frames[start + i]!;
        if (count === 0) continue;
        pixels += 1;
        context.globalAlpha = 1 - (1 - FAINTEST) ** count;
        const [x, y] = [(i % width) * cell, Math.floor(i / width) * cell];
        context.fillRect(x + inset, y + inset, cell - 2 * inset, cell - 2 * inset);
      }
      context.globalAlpha = 1;
      return pixels;
    };
    const on = drawPolarity(1, palette.on, 0);
    const off = drawPolarity(0, palette.off, Math.floor(cell / 5));
    canvas.setAttribute('aria-label', describeEvents(step, on, off));
  };
}

/** Draws a bar for each class, with marks for the leading and the true class. */
function makeVotes(classes: readonly string[]) {
  const root = byId('div', 'votes');
  // The same from one step to the next, so that bars grow.
  const rows = classes.map((name) => {
    const row = makeElement(
      `<div><span class="mark"></span><span class="name">${escapeMarkup(name)}</span>` +
        '<span class="track"><i></i><i></i></span><span class="number"></span></div>',
    );
    const [mark, , , score] = row.children;
    const [bar, second] = row.querySelectorAll('i');
    root.append(row);
    return { row, mark: mark!, score: score!, bar: bar!, second: second! };
  });
  return (votes: Votes): void => {
    const { scores, label, beside = [] } = votes;
    const [leaders, leadersBeside] = [leadersOf(scores), leadersOf(beside)];
    root.setAttribute('aria-label', describeVotes(votes));
    root.classList.toggle('compared', beside.length > 0);
    byId('span', 'votes-beside').hidden = beside.length === 0;
    for (const [index, { row, mark, bar, second, score }] of rows.entries()) {
      const truth = index === label ? '●' : '';
      setText(
        mark,
        `${truth}${leadersBeside.includes(index) ? '▷' : ''}${leaders.includes(index) ? '▶' : ''}`,
      );
      setText(score, scores[index]!.toFixed(2));
      row.classList.toggle('leads', leaders.includes(index));
      bar.style.transform = `scaleX(${scores[index]})`;
      second.style.transform = `scaleX(${beside[index] ?? 0})`;
    }
  };
}
