import { quoteWord, quoteWords } from '../../../base/files/shell-words.ts';

/** What a stage asks of Slurm; what is absent: the cluster's default. */
export interface JobRequest {
  readonly partition?: string | number;
  readonly account?: string | number;
  readonly qos?: string | number;
  readonly constraint?: string | number;
  readonly cpu?: number;
  readonly memoryBytes?: number;
  readonly gpu?: number;
  /** Such as `a100`. */
  readonly gpuType?: string;
  readonly timeSeconds?: number;
  /** How long before the time limit the job is sent SIGUSR2; absent: never. */
  readonly warnSeconds?: number;
  /** How many instances of a stage may run at once: the runner sees to it. */
  readonly arrayLimit?: number;
  /** Further options, each one word. */
  readonly flags?: readonly string[];
}

export interface JobScript {
  readonly request: JobRequest;
  readonly name: string;
  readonly comment: string;
  /** Whether Slurm itself starts it again after a node failure or a preemption. */
  readonly requeues: boolean;
  /** The file for what the script and Slurm print; absolute. */
  readonly logFile: string;
  /** A comment that says what it runs. */
  readonly about: string;
  /** The folder of the job; absolute. */
  readonly folder: string;
  /** The variables that the job sees. */
  readonly environment: Readonly<Record<string, string>>;
  readonly projectRoot: string;
  /** Lines of shell that run first, such as `module load nodejs`. */
  readonly prelude: readonly string[];
  /** A program with its arguments; the folder of the job is appended. */
  readonly command: readonly string[];
}

/**
 * The script of a job: its options as directives, then the environment, the site's own lines, and the command in place of the shell, so that
 * Slurm's signals reach it. Values are quoted, so folders may have any name.
 */
export function renderJobScript(script: JobScript): string {
  const { projectRoot, prelude, command } = script;
  const folder = quoteWord(script.folder);
  const missing = `repro: ${projectRoot} is not the same folder on this node as where the job was submitted`;
  const exports = Object.entries(script.environment).map(
    ([name, value]) => `export ${name}=${quoteWord(value)}`,
  );
  return `${[
    // The site's own lines often need what a login shell defines, such as `module`.
    prelude.length === 0 ? '#!/bin/bash' : '#!/bin/bash -l',
    ...listSbatchOptions(script).map((word) => `#SBATCH ${quoteDirective(word)}`),
    '',
    `# ${script.about.replaceAll(/\p{Cc}/gu, ' ')}`,
    // It would end the shell, and what the shell starts until that handles it.
    "trap '' USR2",
    `if [ ! -d ${folder} ] || ! cd ${quoteWord(projectRoot)}; then`,
    `  echo ${quoteWord(missing)}": $(hostname)" >&2`,
    '  exit 1',
    'fi',
    ...(prelude.length === 0 ? exports : runPrelude(prelude, exports, projectRoot)),
    `exec ${quoteWords(command)} ${folder}`,
  ].join('\n')}\n`;
}

/** Programs are looked for where these lines add, then where the submitting shell finds them, as for local stages, then where the profiles say. */
function runPrelude(
  prelude: readonly string[],
  exports: readonly string[],
  projectRoot: string,
): readonly string[] {
  return [
    'login_path=$PATH login_libraries=$LD_LIBRARY_PATH; unset LD_LIBRARY_PATH',
    ...exports,
    'PATH=$PATH:$login_path',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own syntax
    '[ -z "$login_libraries" ] || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$login_libraries"',
    // As with `set -e`, a failing condition (`[ -f x ] && . x`) is no failure.
    `trap 'echo "repro: a line of the prelude failed with exit code $?: $BASH_COMMAND" >&2; exit 1' ERR`,
    ...prelude,
    'trap - ERR',
    `cd ${quoteWord(projectRoot)}`,
  ];
}

/** The options of `sbatch`, each one word. */
function listSbatchOptions({ request, ...script }: JobScript): string[] {
  const { cpu = 1, gpu = 0, gpuType, memoryBytes, timeSeconds, warnSeconds, flags = [] } = request;
  const named = (['partition', 'account', 'qos', 'constraint'] as const).flatMap((name) =>
    request[name] === undefined ? [] : [`--${name}=${request[name]}`],
  );
  return [
    `--job-name=${script.name}`,
    `--comment=${script.comment}`,
    ...named,
    '--nodes=1',
    '--ntasks=1',
    `--cpus-per-task=${cpu}`,
    ...(memoryBytes === undefined ? [] : [`--mem=${Math.ceil(memoryBytes / 2 ** 20)}M`]),
    ...(gpu === 0 ? [] : [`--gres=gpu:${gpuType === undefined ? '' : `${gpuType}:`}${gpu}`]),
    // In minutes.
    ...(timeSeconds === undefined ? [] : [`--time=${Math.ceil(timeSeconds / 60)}`]),
    ...(warnSeconds === undefined ? [] : [`--signal=B:USR2@${Math.ceil(warnSeconds)}`]),
    // Nothing else of the submitting shell's environment: the script says what the job sees.
    '--export=HOME,USER,LOGNAME,SHELL',
    script.requeues ? '--requeue' : '--no-requeue',
    '--open-mode=append',
    // In a pattern, Slurm reads `%` as the start of a placeholder.
    `--output=${script.logFile.replaceAll('%', '%%')}`,
    ...flags,
  ];
}

/** In directives, Slurm interprets quotes and backslashes, and an unquoted `#` starts a comment. */
function quoteDirective(word: string): string {
  const at = word.indexOf('=');
  const value = word.slice(at + 1);
  if (at === -1 || /^[\w.,:/=%@+|&-]*$/.test(value)) return word;
  return `${word.slice(0, at)}="${value.replace(/["\\]/g, (sign) => `\\${sign}`)}"`;
}
