import { capitalise, describeChange, describeOutcome, nameClass } from '../words.ts';
import { element } from './dom.ts';
import { drawEvents } from './events-view.ts';
import type { Result, Run } from './runs.ts';
import type { Page, Part } from './view.ts';
import { drawVotes } from './votes-view.ts';

/** The clip, what the network makes of it, and what the reader's changes made of that. */
export function makeStage(page: Page): Part {
  const {
    classes,
    frames: { height, width },
  } = page.payload;
  const canvas = element('canvas', { class: 'events', role: 'img' });
  const votes = element('div', {});
  const counts = element('tbody');
  const heads = element('tr');
  const sentence = element('p', { class: 'sentence' });
  const undo = element('button', { type: 'button', onclick: page.undo }, 'Undo all changes');

  function showCounts({ run, beside }: Result, step: number): void {
    const runs = beside === null ? [run] : [run, beside];
    const titles = [page.models.title(run.model), ...(beside === null ? [] : [nameBeside(page, beside)])];
    heads.replaceChildren(...['', ...titles].map((title) => element(title === '' ? 'td' : 'th', {}, title)));
    const rows: readonly (readonly [string, (one: Run) => string])[] = [
      ['Spikes so far', ({ outcome }) => formatSoFar(outcome.spikes, step)],
      ['Synaptic operations so far', ({ outcome }) => formatSoFar(outcome.operations, step)],
      ['Decision at the end', ({ outcome }) => capitalise(nameClass(outcome.decision, classes))],
      [
        'In the lead since step',
        ({ outcome }) => (outcome.decidedAt === null ? '–' : String(outcome.decidedAt + 1)),
      ],
    ];
    counts.replaceChildren(
      ...rows.map(([name, valueIn]) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, name),
          ...runs.map((one) => element('td', {}, valueIn(one))),
        ),
      ),
    );
  }

  return {
    root: element(
      'section',
      { class: 'stage', 'aria-label': 'Clip and votes' },
      element(
        'div',
        { class: 'scene' },
        element('h2', {}, 'What the network sees'),
        element('div', {}, canvas),
        element(
          'p',
          { class: 'scale' },
          element('span', {}, element('i', { class: 'one on' }), 'brighter'),
          element('span', {}, element('i', { class: 'one off' }), 'darker, at this step'),
        ),
      ),
      element(
        'div',
        { class: 'verdict' },
        element('h2', {}, 'How its outputs vote'),
        votes,
        element('table', { class: 'counts' }, element('thead', {}, heads), counts),
      ),
      element('div', { class: 'answer' }, sentence, undo),
    ),
    show({ state, result, palette }) {
      undo.disabled = !page.canUndo();
      if (result === null) return;
      const { run, beside } = result;
      const { step } = state;
      drawEvents(canvas, { frames: run.frames, step, height, width, palette });
      drawVotes(votes, {
        classes,
        scores: run.outcome.scores[step]!,
        label: page.labelOf(result.asked.clip),
        ...(beside === null ? {} : { beside: beside.outcome.scores[step]! }),
      });
      showCounts(result, step);
      sentence.textContent = tellResult(page, result);
    },
  };
}

/** What the changes did; without changes, what the network answers. */
export function tellResult(page: Page, { asked, run, trained, beside }: Result): string {
  const { classes } = page.payload;
  const label = page.labelOf(asked.clip);
  const own =
    trained === run.outcome
      ? describeOutcome(trained, label, classes)
      : describeChange(run.outcome, trained, label, classes);
  return beside === null
    ? own
    : `${own} Beside it, ${nameBeside(page, beside)}: ${describeOutcome(beside.outcome, label, classes)}`;
}

function nameBeside({ payload }: Page, { model }: Run): string {
  return `${payload.models[model]!.title}, as trained`;
}

function formatSoFar(soFar: readonly number[], step: number): string {
  return (soFar[step] ?? 0).toLocaleString('en-US');
}
