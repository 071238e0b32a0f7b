import type { ExecFileException } from 'node:child_process';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { quoteWords } from '../../files/shell-words.ts';
import { formatPlace } from '../../schema/problems.ts';
import { shortenText } from '../../text.ts';
import type { StageInstance, Tool } from '../plan/plan.ts';
import { stageEnvironment } from './stage-environment.ts';

/** A program that takes longer to say its version does something else. */
const secondsAtMost = 20;

const versionLengthAtMost = 200;

/** How the version of a tool is named among the facts of an instance. */
export function factNameOf({ command }: Tool): string {
  return quoteWords(command);
}

export function factNamesOf({ facts, tools = [] }: StageInstance): string[] {
  return [...facts, ...tools.map(factNameOf)];
}

/** Asks programs for their versions, each command once in each environment. */
export class ToolVersions {
  readonly #projectRoot: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #known = new Map<string, Promise<string>>();

  constructor(projectRoot: string, environment: NodeJS.ProcessEnv) {
    this.#projectRoot = projectRoot;
    this.#environment = environment;
  }

  /**
   * The first line that a tool's command prints, to stdout or else to stderr.
   *
   * @throws {ReproError} `tool-version` if the command does not exist, fails or says nothing
   */
  async find(tool: Tool, stage: string, variables: readonly string[] = []): Promise<string> {
    const values = variables.map((name) => [name, this.#environment[name] ?? null]);
    const key = JSON.stringify([tool.command, values]);
    const known = this.#known.get(key) ?? this.#ask(tool.command, variables);
    this.#known.set(key, known);
    const refuse = (problem: string, cause?: unknown): ReproError =>
      new ReproError('tool-version', `stage "${stage}": "${factNameOf(tool)}" ${problem}`, {
        where: formatPlace(tool.at),
        fix: 'Install it, or correct `tools:`: a program, which is asked with --version, a whole command such as "java -version", or a list of words, if one contains blanks: ["my tool", -v].',
        cause,
      });
    const answer = await known.catch((cause: unknown) => {
      throw refuse(describeProblem(tool, cause), cause);
    });
    if (answer === '') throw refuse('prints nothing');
    return answer;
  }

  async #ask([program = '', ...args]: readonly string[], variables: readonly string[]): Promise<string> {
    // Loaded only where a stage names a tool.
    const [{ execFile }, { promisify }] = await Promise.all([
      import('node:child_process'),
      import('node:util'),
    ]);
    const asked = promisify(execFile)(program, args, {
      cwd: this.#projectRoot,
      env: stageEnvironment(variables, this.#environment),
      timeout: secondsAtMost * 1000,
      killSignal: 'SIGKILL',
    });
    // A program that reads what it is given would wait for it.
    asked.child.stdin?.end();
    const { stdout, stderr } = await asked;
    return firstLineOf(stdout) || firstLineOf(stderr);
  }
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
