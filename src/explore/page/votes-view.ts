import { leadersOf } from '../outcome.ts';
import { describeVotes, formatScore, type Votes } from '../words.ts';
import { element } from './dom.ts';

interface Row {
  readonly row: HTMLElement;
  readonly mark: HTMLElement;
  readonly bar: HTMLElement;
  /** Of the model beside. */
  readonly second: HTMLElement;
  readonly score: HTMLElement;
}

/** Kept from one step to the next, so that bars grow. */
const rowsOf = new WeakMap<HTMLElement, readonly Row[]>();

/**
 * Draws a bar for each class, with marks for the leading and the true class.
 *
 * @param votes the same classes at every call
 */
export function drawVotes(root: HTMLElement, votes: Votes): void {
  const { classes, scores, label, beside } = votes;
  const leaders = leadersOf(scores);
  const leadersBeside = leadersOf(beside ?? []);
  const rows = rowsOf.get(root) ?? makeRows(root, classes);
  rowsOf.set(root, rows);
  root.setAttribute('aria-label', describeVotes(votes));
  root.classList.toggle('compared', beside !== undefined);
  for (const [index, { row, mark, bar, second, score }] of rows.entries()) {
    const marks = [
      index === label && '●',
      leadersBeside.includes(index) && '▷',
      leaders.includes(index) && '▶',
    ];
    setText(mark, marks.filter((one) => one !== false).join(''));
    setText(score, formatScore(scores[index] ?? 0));
    row.classList.toggle('leads', leaders.includes(index));
    bar.style.transform = `scaleX(${scores[index] ?? 0})`;
    second.style.transform = `scaleX(${beside?.[index] ?? 0})`;
  }
}

/** Without a change, the browser would lay out the page again. */
function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

function makeRows(root: HTMLElement, classes: readonly string[]): Row[] {
  const rows = classes.map((name) => {
    const [mark, bar, second, score] = [
      element('span', { class: 'mark' }),
      element('i'),
      element('i'),
      element('span', { class: 'number' }),
    ];
    const track = element('span', { class: 'track' }, bar, second);
    const row = element('div', {}, mark, element('span', { class: 'name' }, name), track, score);
    return { row, mark, bar, second, score };
  });
  root.classList.add('votes');
  root.setAttribute('role', 'img');
  const key = element(
    'p',
    { class: 'account' },
    '▶ leads so far (several: a tie), ● true class',
    element('span', {}, '; ▷ and thin bars: the model beside'),
  );
  root.replaceChildren(...rows.map(({ row }) => row), key);
  return rows;
}
