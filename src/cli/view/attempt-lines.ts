import path from 'node:path';
import { quoteWords } from '../../files/shell-words.ts';
import type { AttemptReport } from '../../runner/freshness/instance-state.ts';
import { formatSeconds } from './format.ts';
import { toLines, toOneLine } from './safe-text.ts';

/**
 * What became of an attempt that has not succeeded: how it failed, or who runs it; then where its log is, and the command that shows it.
 *
 * @param projectRoot absolute
 */
export function describeAttempt(id: string, attempt: AttemptReport, projectRoot: string): string[] {
  const started = `${attempt.startedAt.slice(0, 16).replace('T', ' ')} UTC`;
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
