import path from 'node:path';
import { unreachable } from '../../base/errors.ts';
import { quoteWords } from '../../base/files/shell-words.ts';
import { formatMinute } from '../../base/text.ts';
import type { StaleReason } from '../../runner/freshness/differences.ts';
import type { RunEvent } from '../../runner/run/events.ts';
import type { AttemptReport } from '../../runner/run/status.ts';
import { formatSeconds, nameInstances } from './format.ts';
import { type Colors, toLines, toOneLine } from './print.ts';
import { type InstanceView, idsIn, type RunState } from './run-state.ts';

/** What was, or would be, done to the outputs of an instance that need not run; null if they are intact. */
export function describeHit(event: Extract<RunEvent, { kind: 'cached' }>): string | null {
  const { restored, removed, isRehearsal } = event;
  const [restores, takesOut] = isRehearsal ? ['would restore', 'would set aside'] : ['restored', 'took out'];
  const parts = [
    ...(restored.length > 0 ? [`${restores} from the store: ${restored.join(', ')}`] : []),
    ...(removed.length > 0 ? [`${takesOut} files not made by the stage: ${removed.join(', ')}`] : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

/** How many reasons to show in a line of a run; `repro status` lists them all. */
const shownReasons = 3;

/** `train.epochs: 12 → 8; src/… changed; and 4 more`: the first few reasons, parameters and inputs before code. */
export function describeReasons(reasons: readonly StaleReason[]): string {
  const weight = (reason: StaleReason): number => (reason.cue === 'code' || reason.cue === 'package' ? 1 : 0);
  const sorted = [...reasons].sort((a, b) => weight(a) - weight(b));
  const shown = sorted.slice(0, shownReasons).map((reason) => reason.text);
  const rest = sorted.length - shown.length;
  return rest === 0 ? shown.join('; ') : `${shown.join('; ')}; and ${rest} more`;
}

/** The lines that both views show alike, for what would run, a note and an interruption; none for other events. */
export function describeAlike(event: RunEvent, colors: Colors): string[] {
  const id = 'id' in event ? toOneLine(event.id) : '';
  switch (event.kind) {
    case 'interrupted':
      return [`${colors.yellow('-')} ${id}  interrupted`];
    case 'would-run': {
      const place = event.staysHere === true ? ' (on this machine)' : '';
      const reasons = toOneLine(describeReasons(event.reasons));
      return [`${colors.yellow('?')} ${id}  would run${place}: ${reasons}`];
    }
    case 'note': {
      const [first = '', ...more] = toLines(event.text);
      const mark = event.level === 'warning' ? colors.yellow('!') : ' ';
      return [`${mark} ${id}  ${first}`, ...more.map((line) => `    ${line}`)];
    }
    case 'run-started':
    case 'cached':
    case 'started':
    case 'job':
    case 'progress':
    case 'metrics':
    case 'finished':
    case 'failed':
    case 'blocked':
    case 'run-finished':
      return [];
    default:
      return unreachable(event);
  }
}

/** What became of an attempt that has not succeeded: how it failed, or who runs it; then where its log is, and the command that shows it. */
export function describeAttempt(id: string, attempt: AttemptReport, projectRoot: string): string[] {
  const started = formatMinute(attempt.startedAt);
  const log = `log: ${toOneLine(path.relative(projectRoot, attempt.logFile))} (./repro logs ${quoteWords([id])})`;
  const { failure } = attempt;
  if (failure === null) {
    const what = attempt.isCurrent === false ? ', with other code, inputs or parameters' : '';
    const who = `process ${attempt.pid} on ${toOneLine(attempt.host)}`;
    return [`run by ${who} since ${started}${what}`, log];
  }
  const [first = '', ...more] = toLines(failure.text);
  const when = `started ${started}, failed after ${formatSeconds(failure.seconds)}`;
  return [first, ...more, when, log];
}

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
  const interrupted = state.listIn('interrupted');
  if (interrupted.length > 0) lines.push('', ...describeInterrupted(interrupted));
  const wouldRun = idsIn(state, 'would-run');
  const queued = state.listQueued().length;
  const cached = idsIn(state, 'cached');
  const restored = cached.filter((id) => (state.instances.get(id)?.restored.length ?? 0) > 0).length;
  const counts: [number, string][] = [
    [idsIn(state, 'finished').length, 'run'],
    [restored, state.isRehearsal ? 'to restore' : 'restored'],
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
  if (state.outcome === 'ok') lines.push(...options.results.map(toOneLine));
  return lines;
}

function describeInterrupted(interrupted: readonly InstanceView[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { id, savedSecondsAgo: ago } of interrupted) {
    const from = ago === 0 ? 'here' : `what it saved ${formatSeconds(ago ?? 0)} before its end`;
    const then =
      ago === null ? 'starts it from the beginning, as it had saved nothing.' : `resumes from ${from}.`;
    groups.set(then, [...(groups.get(then) ?? []), id]);
  }
  return [...groups].map(([then, ids]) => `interrupted: ${nameInstances(ids)}. The same command ${then}`);
}
