import { hasErrorCode, ReproError } from '../../errors.ts';
import { formatPlace } from '../../schema/source-position.ts';
import { stageEnvironment } from '../execution/stage-environment.ts';
import type { StageInstance, Tool } from '../plan.ts';
import { shortenText } from '../short-text.ts';

/** A program that takes longer to say its version does something else. */
const secondsAtMost = 20;

const versionLengthAtMost = 200;

/** The command of an entry of `tools:`: `python3` stands for `python3 --version`. */
export function toToolCommand(entry: string): readonly string[] {
  const words = entry.trim().split(/\s+/);
  return words.length === 1 ? [...words, '--version'] : words;
}

/** How the version of a tool is named among the facts of an instance. */
export function factNameOf({ command }: Tool): string {
  return command.join(' ');
}

/** The names of all facts that an instance's fingerprint has. */
export function factNamesOf({ facts, tools = [] }: StageInstance): string[] {
  return [...facts, ...tools.map(factNameOf)];
}

/** Asks programs for their versions, each command once. */
export class ToolVersions {
  readonly #projectRoot: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #known = new Map<string, Promise<string>>();

  /** @param environment of the runner; programs see what a stage without `variables:` does */
  constructor(projectRoot: string, environment: NodeJS.ProcessEnv) {
    this.#projectRoot = projectRoot;
    this.#environment = environment;
  }

  /**
   * The first line that a tool's command prints, to stdout or else to stderr.
   *
   * @param stage in messages
   * @throws {ReproError} `tool-version` if the command does not exist, fails or says nothing
   */
  async find(tool: Tool, stage: string): Promise<string> {
    const name = factNameOf(tool);
    const known = this.#known.get(name) ?? this.#ask(tool.command);
    this.#known.set(name, known);
    const answer = await known.catch((cause: unknown) => {
      throw refuse(tool, stage, describeProblem(tool, cause), cause);
    });
    if (answer === '') throw refuse(tool, stage, 'prints nothing');
    return answer;
  }

  async #ask([program = '', ...args]: readonly string[]): Promise<string> {
    // Loaded only where a stage names a tool.
    const [{ execFile }, { promisify }] = await Promise.all([
      import('node:child_process'),
      import('node:util'),
    ]);
    const { stdout, stderr } = await promisify(execFile)(program, args, {
      cwd: this.#projectRoot,
      env: stageEnvironment([], this.#environment),
      timeout: secondsAtMost * 1000,
      killSignal: 'SIGKILL',
    });
    return firstLineOf(stdout) || firstLineOf(stderr);
  }
}

function firstLineOf(text: string): string {
  const line = text.split(/\r?\n/).find((one) => one.trim() !== '') ?? '';
  return shortenText(line.trim(), versionLengthAtMost);
}

function refuse(tool: Tool, stage: string, text: string, cause?: unknown): ReproError {
  return new ReproError('tool-version', `stage "${stage}": "${factNameOf(tool)}" ${text}`, {
    where: formatPlace(tool.at),
    fix: 'Install it, or correct `tools:`: a program, which is asked with --version, or a whole command such as "java -version".',
    cause,
  });
}

function describeProblem({ command: [program] }: Tool, error: unknown): string {
  if (hasErrorCode(error, 'ENOENT')) return `cannot be asked: "${program}" is not on this machine's PATH`;
  if (hasErrorCode(error, 'EACCES')) return `cannot be asked: "${program}" is not executable`;
  if (!(error instanceof Error)) return 'cannot be asked';
  if ('killed' in error && error.killed === true) return `did not end within ${secondsAtMost} s`;
  const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: unknown };
  const said = typeof stderr === 'string' ? firstLineOf(stderr) : '';
  return typeof code === 'number'
    ? `exited with code ${code}${said === '' ? '' : `: ${said}`}`
    : `cannot be asked: ${error.message}`;
}
