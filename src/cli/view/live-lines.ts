import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import { nameInstances } from './format.ts';
import type { Colors } from './print.ts';
import { describeLeft, describeProgress, progressDetails, showsMore } from './progress-text.ts';
import { describeQueued, type InstanceView, idsIn, listQueued, type RunState } from './run-state.ts';
import { toOneLine } from './safe-text.ts';

/** The sign before a name, and the spaces around both. */
const columnsAround = 4;
/** Of a name that is cut to make room for its progress: `…0.01,2020`. Matrix values, at the end, tell instances apart. */
const columnsForName = 11;
/** Below this width, names go without the node of their job. */
const columnsForNode = 80;

/**
 * The part of the live view that is redrawn: one line per running instance, and one with the counts of all others.
 * Every line is narrower than `columns`, and there are fewer lines than `rows`: the cursor rests on the row below.
 */
export function renderLive(
  state: RunState,
  options: {
    readonly columns: number;
    readonly rows: number;
    readonly nowMs: number;
    readonly colors: Colors;
  },
): string[] {
  const { columns, colors, nowMs } = options;
  const room = Math.max(0, options.rows - 1);
  const running = [...state.instances.values()].filter((one) => one.state === 'running');
  const shown = running.slice(0, Math.max(0, room - 1));
  const widestLine = Math.max(1, columns - 1);
  const names = shown.map((one) => (columns < columnsForNode ? toOneLine(one.id) : nameWithNode(one)));
  const { texts, widest } = fitProgress(shown, names, columns, nowMs);
  const ids = names.map((name) => cliTruncate(name, widest, { position: 'start' }));
  const width = Math.max(0, ...ids.map((id) => stringWidth(id)));
  const lines = shown.map((_, at) => {
    const name = ids[at] ?? '';
    const padding = ' '.repeat(width - stringWidth(name));
    return `${colors.cyan('●')} ${name}${padding}  ${texts[at] ?? ''}`;
  });
  const counts = describeCounts(state, {
    hidden: running.length - shown.length,
    widest: widestLine,
    nowMs,
  });
  if (counts !== '') lines.push(colors.dim(counts));
  return lines.slice(0, room).map((line) => cutTo(line, widestLine));
}

/** The progress texts, with the same details in all lines, as many as fit beside the names; names are cut last. */
function fitProgress(
  shown: readonly InstanceView[],
  names: readonly string[],
  columns: number,
  nowMs: number,
): { readonly texts: readonly string[]; readonly widest: number } {
  const longest = Math.max(1, ...names.map((name) => stringWidth(name)));
  let texts: string[] = [];
  let room = 0;
  for (const detail of progressDetails) {
    texts = shown.map((one) => describeProgress(one, nowMs, detail));
    room = columns - 1 - columnsAround - Math.max(0, ...texts.map((text) => stringWidth(text)));
    const share = showsMore(detail, 'no-percentage') ? 3 : 4;
    const needed = showsMore(detail, 'few-words') ? Math.floor(columns / share) : columnsForName;
    if (room >= Math.min(longest, needed)) break;
  }
  return { texts, widest: Math.max(room, 1) };
}

/** The library cuts one column too late if the last character is two columns wide. */
function cutTo(line: string, columns: number): string {
  const cut = cliTruncate(line, columns);
  return stringWidth(cut) <= columns ? cut : cliTruncate(line, columns - 1);
}

function nameWithNode({ id, job }: InstanceView): string {
  return toOneLine(job?.node == null ? id : `${id} on ${job.node}`);
}

/** `✘ 1 failed · and 192 more running · ✔ 3 done · ○ 4 to go: evaluate ×3, report`, or less where there is less room. */
function describeCounts(
  state: RunState,
  { hidden, widest, nowMs }: { readonly hidden: number; readonly widest: number; readonly nowMs: number },
): string {
  const queued = listQueued(state);
  const waiting = idsIn(state, 'waiting').filter((id) => !queued.some((one) => one.id === id));
  const done = ['cached', 'finished', 'would-run'] as const;
  const counts = [
    { sign: '✘', count: idsIn(state, 'failed').length, words: (n: number) => `✘ ${n} failed` },
    { sign: '-', count: idsIn(state, 'blocked').length, words: (n: number) => `- ${n} blocked` },
    { sign: '●+', count: hidden, words: (n: number) => `and ${n} more running` },
    {
      sign: '✔',
      count: done.reduce((sum, one) => sum + idsIn(state, one).length, 0),
      words: (n: number) => `✔ ${n} done`,
    },
    { sign: '◌', count: queued.length, words: () => `◌ ${describeQueued(queued)}` },
    { sign: '○', count: waiting.length, words: (n: number) => `○ ${n} to go` },
  ].filter(({ count }) => count > 0);
  const left = describeLeft(state, nowMs);
  const inWords = [...(left === '' ? [] : [left]), ...counts.map(({ count, words }) => words(count))].join(
    ' · ',
  );
  if (stringWidth(inWords) > widest) return counts.map(({ sign, count }) => `${sign}${count}`).join(' ');
  return waiting.length === 0 ? inWords : `${inWords}: ${nameInstances(waiting)}`;
}
