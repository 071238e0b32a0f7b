import path from 'node:path';
import type { Colors } from './colors.ts';
import { foldInstances, formatSeconds } from './format.ts';
import { idsIn, type RunState } from './run-state.ts';

/** How to run one instance again by hand; quoted for a POSIX shell where it must be. */
export function rerunCommand(id: string, runArguments: readonly string[]): string {
  return ['npx repro run', id, ...runArguments]
    .map((word, at) => (at === 0 ? word : quoteWord(word)))
    .join(' ');
}

/** Whether a line of the log says only what the failure says already. */
function isSaid(line: string, text: string): boolean {
  // A long line of the log was cut at its start.
  return text.includes(line.replace(/^(\w*Error: |…)/, '').trim());
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The lines that close a run: what failed with its log's tail, what that stopped, and the count of all. */
export function summariseRun(
  state: RunState,
  options: {
    readonly colors: Colors;
    readonly runArguments: readonly string[];
    readonly results: readonly string[];
    /** Absolute; paths are shown as seen from here. */
    readonly folder: string;
  },
): string[] {
  const { colors } = options;
  const lines: string[] = [];
  for (const one of state.instances.values()) {
    if (one.failure === null) continue;
    lines.push('', colors.red(`${one.id} failed: ${one.failure.text}`));
    const { text, logTail } = one.failure;
    const unsaid = logTail.filter((line) => !isSaid(line, text));
    if (unsaid.length > 0) {
      lines.push(colors.dim(`  the last lines of ${path.relative(options.folder, one.failure.logFile)}:`));
      lines.push(...unsaid.map((line) => colors.dim(`  | ${line}`)));
    }
    lines.push(`  run it again: ${rerunCommand(one.id, options.runArguments)}`);
  }
  const blocked = idsIn(state, 'blocked');
  if (blocked.length > 0)
    lines.push('', `not run, for want of what failed: ${foldInstances(blocked).join(', ')}`);
  const interrupted = idsIn(state, 'interrupted');
  if (interrupted.length > 0) {
    lines.push(
      '',
      `interrupted: ${foldInstances(interrupted).join(', ')}. The same command goes on from here.`,
    );
  }
  const wouldRun = idsIn(state, 'would-run');
  const counts: [number, string][] = [
    [idsIn(state, 'finished').length, 'run'],
    [idsIn(state, 'cached').length, 'up to date'],
    [wouldRun.length, 'to run'],
    [idsIn(state, 'failed').length, 'failed'],
    [blocked.length, 'blocked'],
    [interrupted.length, 'interrupted'],
    [idsIn(state, 'waiting').length, 'not started'],
  ];
  const said = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  const sentence = `${said.length === 0 ? 'nothing to run' : said.join(', ')} in ${formatSeconds(state.seconds)}`;
  lines.push('', state.outcome === 'ok' ? colors.green(sentence) : colors.red(sentence));
  if (state.outcome === 'ok') lines.push(...options.results);
  return lines;
}
