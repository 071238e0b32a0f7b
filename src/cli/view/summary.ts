import path from 'node:path';
import { quoteWords } from '../../files/shell-words.ts';
import { describeTotal } from './event-text.ts';
import { formatSeconds, nameInstances } from './format.ts';
import type { Colors } from './print.ts';
import { idsIn, listQueued, type RunState } from './run-state.ts';
import { toLines, toOneLine } from './safe-text.ts';

export function rerunCommand(id: string, runArguments: readonly string[]): string {
  return `./repro run ${quoteWords([id, ...runArguments])}`;
}

/** Whether a line of the log repeats a line of the failure's message. */
function isSaid(line: string, lines: readonly string[]): boolean {
  const plain = line.replace(/^(\w*Error: |…)/, '').trim();
  if (plain === '') return true;
  // Long lines of the log are cut at their start.
  const isCut = line.startsWith('…');
  return lines.some((one) => (isCut ? one.trim().endsWith(plain) : one.trim() === plain));
}

/** The closing lines of a run: failures with the end of their logs, what they blocked, and the totals. */
export function summariseRun(
  state: RunState,
  options: {
    readonly colors: Colors;
    readonly runArguments: readonly string[];
    readonly results: readonly string[];
    readonly folder: string;
    /** Instances that continue where they were interrupted. */
    readonly resumable?: ReadonlySet<string>;
  },
): string[] {
  const { colors } = options;
  const lines: string[] = [];
  for (const one of state.instances.values()) {
    if (one.failure === null) continue;
    const [first = '', ...more] = toLines(one.failure.text);
    lines.push(
      '',
      colors.red(`${toOneLine(one.id)} failed: ${first}`),
      ...more.map((line) => colors.red(line)),
    );
    const unsaid = one.failure.logTail.map(toOneLine).filter((line) => !isSaid(line, [first, ...more]));
    if (unsaid.length > 0) {
      const logFile = toOneLine(path.relative(options.folder, one.failure.logFile));
      lines.push(colors.dim(`  last lines of ${logFile}:`));
      lines.push(...unsaid.map((line) => colors.dim(`  | ${line}`)));
    }
    lines.push(`  run it again: ${rerunCommand(one.id, options.runArguments)}`);
  }
  const blocked = idsIn(state, 'blocked');
  if (blocked.length > 0) lines.push('', `not run, because of these failures: ${nameInstances(blocked)}`);
  const interrupted = idsIn(state, 'interrupted');
  if (interrupted.length > 0) lines.push('', ...describeInterrupted(interrupted, options.resumable));
  const wouldRun = idsIn(state, 'would-run');
  const queued = listQueued(state).length;
  const cached = idsIn(state, 'cached');
  const restored = cached.filter((id) => (state.instances.get(id)?.restored.length ?? 0) > 0).length;
  const counts: [number, string][] = [
    [idsIn(state, 'finished').length, 'run'],
    [restored, state.expected === null ? 'restored' : 'to restore'],
    [cached.length - restored, 'up to date'],
    [wouldRun.length, 'to run'],
    [idsIn(state, 'failed').length, 'failed'],
    [blocked.length, 'blocked'],
    [interrupted.length, 'interrupted'],
    [idsIn(state, 'running').length, 'running'],
    [queued, 'queued'],
    [idsIn(state, 'waiting').length - queued, 'not started'],
  ];
  const said = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const sentence = `${said.length === 0 ? 'nothing to run' : said.join(', ')} in ${formatSeconds(state.seconds)}`;
  lines.push('', state.outcome === 'ok' ? colors.green(sentence) : colors.red(sentence));
  const total = state.expected === null ? null : describeTotal(state.expected, wouldRun.length);
  if (total !== null) lines.push(total);
  if (state.outcome === 'ok') lines.push(...options.results.map(toOneLine));
  return lines;
}

function describeInterrupted(
  ids: readonly string[],
  resumable: ReadonlySet<string> = new Set<string>(),
): string[] {
  const describe = (some: readonly string[], then: string): string[] =>
    some.length === 0 ? [] : [`interrupted: ${nameInstances(some)}. ${then}`];
  return [
    ...describe(
      ids.filter((id) => resumable.has(id)),
      'The same command resumes from here.',
    ),
    ...describe(
      ids.filter((id) => !resumable.has(id)),
      'The same command starts again: without `resume:`, nothing of the work is kept.',
    ),
  ];
}
