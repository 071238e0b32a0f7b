import process from 'node:process';
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import type { RunEvent } from '../../runner/run/events.ts';
import { describeAlike, describeHit, describeReasons } from './event-text.ts';
import { describeAfter, formatDone, formatLeft, nameInstances } from './format.ts';
import { LiveArea } from './live-area.ts';
import { type Colors, toOneLine } from './print.ts';
import { describeProgress, progressDetails, showsMore } from './progress-text.ts';
import {
  describeQueued,
  type InstanceState,
  type InstanceView,
  type RunState,
  type RunView,
} from './run-state.ts';
import { estimateSecondsLeft } from './time-left.ts';

/** Often enough to look alive, seldom enough not to take a core from the stages. */
const redrawsPerSecond = 8;

/** The view on a terminal: finished stages scroll away above, running ones are redrawn below, cached ones share one line. */
export class LiveView implements RunView {
  readonly #area: LiveArea;
  readonly #stream: NodeJS.WriteStream;
  readonly #colors: Colors;
  #cached: string[] = [];
  /** Lines that the next redraw writes: with 200 stages, many events come at once. */
  #lasting: string[] = [];
  #state: RunState | null = null;
  #isQueued = false;
  readonly #timer: NodeJS.Timeout;
  readonly #redrawNow = (): void => this.#redraw();

  constructor(stream: NodeJS.WriteStream, colors: Colors) {
    this.#stream = stream;
    this.#area = new LiveArea(stream);
    this.#colors = colors;
    this.#timer = setInterval(this.#redrawNow, 1000 / redrawsPerSecond);
    this.#timer.unref();
    stream.on('resize', this.#redrawNow);
    process.on('SIGCONT', this.#redrawNow);
  }

  show(event: RunEvent, state: RunState): void {
    this.#state = state;
    const lines = this.#lastingLines(event);
    if (lines.length === 0) return;
    this.#flushCached();
    this.#lasting.push(...lines);
    if (this.#isQueued) return;
    this.#isQueued = true;
    setImmediate(this.#redrawNow);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stream.off('resize', this.#redrawNow);
    process.off('SIGCONT', this.#redrawNow);
    this.#flushCached();
    this.#redraw();
    this.#state = null;
    this.#area.clear();
  }

  #flushCached(): void {
    if (this.#cached.length === 0) return;
    this.#lasting.push(`${this.#colors.green('✔')} up to date: ${nameInstances(this.#cached)}`);
    this.#cached = [];
  }

  #lastingLines(event: RunEvent): string[] {
    const c = this.#colors;
    const id = 'id' in event ? toOneLine(event.id) : '';
    switch (event.kind) {
      case 'cached': {
        const done = describeHit(event);
        if (done !== null) return [`${c.green('✔')} ${id}  ${toOneLine(done)}`];
        this.#cached.push(event.id);
        return [];
      }
      case 'started': {
        // One line: `repro status` lists the reasons in full.
        const line = `  ${id}  ${toOneLine(describeReasons(event.reasons))}`;
        return [c.dim(cliTruncate(line, Math.max(1, this.#area.columns - 1)))];
      }
      case 'finished':
        return [`${c.green('✔')} ${id}  ${formatDone(event)}`];
      case 'failed':
        return [`${c.red('✘')} ${id}  failed${describeAfter(event.seconds)}`];
      default:
        return describeAlike(event, c);
    }
  }

  #redraw(): void {
    this.#isQueued = false;
    if (this.#state === null) return;
    const lines = renderLive(this.#state, {
      columns: this.#area.columns,
      rows: this.#area.rows,
      nowMs: Date.now(),
      colors: this.#colors,
    });
    const lasting = this.#lasting;
    this.#lasting = [];
    this.#area.draw(lasting, lines);
  }
}

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
  const running = state.listIn('running');
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
  const counts = describeCounts(state, { hidden: running.length - shown.length, widest: widestLine, nowMs });
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
    const needed = showsMore(detail, 'first-words') ? Math.floor(columns / share) : columnsForName;
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

/** `✘ 1 failed · and 192 more running · ✔ 3 done · ○ 4 to go, about 9 min left: evaluate ×3, report`, or less where there is less room. */
function describeCounts(
  state: RunState,
  { hidden, widest, nowMs }: { readonly hidden: number; readonly widest: number; readonly nowMs: number },
): string {
  const queued = state.listQueued();
  const waiting = state.listIn('waiting').flatMap(({ id, job }) => (job === null ? [id] : []));
  const count = (...states: InstanceState[]): number =>
    states.reduce((sum, one) => sum + state.listIn(one).length, 0);
  const [failed, blocked, done] = [
    count('failed'),
    count('blocked'),
    count('cached', 'finished', 'would-run'),
  ];
  const all: readonly (readonly [sign: string, count: number, words: string])[] = [
    ['✘', failed, `✘ ${failed} failed`],
    ['-', blocked, `- ${blocked} blocked`],
    ['●+', hidden, `and ${hidden} more running`],
    ['✔', done, `✔ ${done} done`],
    ['◌', queued.length, `◌ ${describeQueued(queued)}`],
    ['○', waiting.length, `○ ${waiting.length} to go`],
  ];
  const shown = all.filter(([, n]) => n > 0);
  const inWords = shown.map(([, , words]) => words).join(' · ');
  if (stringWidth(inWords) > widest) return shown.map(([sign, n]) => `${sign}${n}`).join(' ');
  // Where nothing waits, the lines of the running stages say it.
  const hasMore = waiting.length + queued.length > 0;
  const left = hasMore ? estimateSecondsLeft(state.instances.values(), state.mostAtOnce, nowMs) : null;
  const withTime = left === null ? inWords : `${inWords}, about ${formatLeft(left)} left`;
  const said = stringWidth(withTime) > widest ? inWords : withTime;
  return waiting.length === 0 ? said : `${said}: ${nameInstances(waiting)}`;
}
