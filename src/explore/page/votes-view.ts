import { decisionOf, describeVotes, formatScore, type Votes } from '../accounts.ts';
import { element } from './dom.ts';

/** Draws a bar for each class. The rows are kept from one step to the next, so that bars can grow. */
export function drawVotes(root: HTMLElement, votes: Votes): void {
  const { classes, scores, label, beside } = votes;
  if (root.childElementCount !== classes.length) root.replaceChildren(...classes.map(makeRow));
  root.className = 'votes';
  root.setAttribute('role', 'img');
  root.setAttribute('aria-label', describeVotes(votes));
  const [decision, decisionBeside] = [decisionOf(scores), beside === undefined ? null : decisionOf(beside)];
  for (const [index, row] of [...root.children].entries()) {
    const [name, mark, track, score] = row.children as unknown as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    const [bar, second] = track.children as unknown as [HTMLElement, HTMLElement];
    row.classList.toggle('decision', index === decision);
    name.textContent = classes[index]!;
    mark.textContent = [
      index === label ? '●' : '',
      index === decision ? '◀' : '',
      index === decisionBeside ? '◁' : '',
    ].join('');
    bar.style.transform = `scaleX(${scores[index] ?? 0})`;
    second.style.transform = `scaleX(${beside?.[index] ?? 0})`;
    second.hidden = beside === undefined;
    score.textContent = formatScore(scores[index] ?? 0);
  }
}

function makeRow(): HTMLElement {
  return element(
    'div',
    {},
    element('span', { class: 'name' }),
    element('span', { class: 'mark' }),
    element('span', { class: 'track' }, element('i'), element('i')),
    element('span', { class: 'number' }),
  );
}
