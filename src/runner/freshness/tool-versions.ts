import type { ExecFileException } from 'node:child_process';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { quoteWords } from '../../files/shell-words.ts';
import { formatPlace } from '../../schema/problems.ts';
import { shortenText } from '../../text.ts';
import type { Tool } from '../plan/plan.ts';

/** A program that takes longer to say its version does something else. */
const secondsAtMost = 20;

const versionLengthAtMost = 200;

/** How the version of a tool is named among the facts of an instance. */
export function factNameOf({ command }: Tool): string {
  return quoteWords(command);
}

/**
 * The first line that a tool's command prints, to stdout or else to stderr.
 *
 * @throws {ReproError} `tool-version` if the command does not exist, fails or says nothing
 */
export async function readToolVersion(tool: Tool, cwd: string, env: NodeJS.ProcessEnv): Promise<string> {
  const [program = '', ...args] = tool.command;
  // Loaded only where a stage names a tool.
  const [{ execFile }, { promisify }] = await Promise.all([
    import('node:child_process'),
    import('node:util'),
  ]);
  let problem = 'prints nothing';
  let cause: unknown;
  try {
    const limits = { timeout: secondsAtMost * 1000, killSignal: 'SIGKILL' } as const;
    const asked = promisify(execFile)(program, args, { cwd, env, ...limits });
    // A program that reads what it is given would wait for it.
    asked.child.stdin?.end();
    const { stdout, stderr } = await asked;
    const answer = firstLineOf(stdout) || firstLineOf(stderr);
    if (answer !== '') return answer;
  } catch (error) {
    cause = error;
    problem = describeProblem(tool, error);
  }
  throw new ReproError('tool-version', `"${factNameOf(tool)}" ${problem}`, {
    where: formatPlace(tool.at),
    fix: 'Install it, or correct `tools:`: a program, which is asked with --version, a whole command such as "java -version", or a list of words, if one contains blanks: ["my tool", -v].',
    cause,
  });
}

function firstLineOf(text: string): string {
  const line = text.split(/\r?\n/).find((one) => one.trim() !== '') ?? '';
  return shortenText(line.trim(), versionLengthAtMost);
}

function describeProblem({ command: [program] }: Tool, error: unknown): string {
  if (hasErrorCode(error, 'ENOENT')) {
    return program?.includes('/') === true
      ? `cannot be asked: "${program}", or the interpreter that it names, does not exist`
      : `cannot be asked: "${program}" is not on this machine's PATH`;
  }
  const { code, stderr, killed, message } = error as Partial<ExecFileException>;
  if (killed === true) return `did not end within ${secondsAtMost} s`;
  if (typeof code !== 'number') return `cannot be asked: ${message}`;
  const said = firstLineOf(stderr ?? '');
  return `exited with code ${code}${said === '' ? '' : `: ${said}`}`;
}
