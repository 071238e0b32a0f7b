import { quoteWord, quoteWords } from '../../files/shell-words.ts';

/** What a stage, or each task of an array, asks of Slurm; absent or null: the cluster's default. */
export interface JobRequest {
  readonly partition?: string | number;
  readonly account?: string | number;
  readonly qos?: string | number;
  readonly constraint?: string | number;
  readonly cpus: number;
  readonly memoryBytes: number | null;
  readonly gpus: number;
  /** Such as `a100`; null: any. */
  readonly gpuType: string | null;
  readonly timeSeconds: number | null;
  /** How long before the time limit the job is sent SIGUSR2; null: never. */
  readonly warnSeconds: number | null;
  /** Further options, each one word. */
  readonly flags: readonly string[];
}

export interface JobScript {
  readonly request: JobRequest;
  readonly name: string;
  readonly comment: string;
  /** The number of tasks; null: a job that is not an array. */
  readonly arraySize: number | null;
  /** How many tasks may run at once; null: any number. */
  readonly atOnce: number | null;
  /** Whether Slurm itself starts it again after a node failure or a preemption. */
  readonly requeues: boolean;
  /** The file for what the script and Slurm print; absolute. `%a` in an array is added. */
  readonly logFile: string;
  /** Lines of comment that say what it runs. */
  readonly about: readonly string[];
  /** Absolute; for each task, the folder of its job. */
  readonly folders: readonly string[];
  /** A shell file with the variables that the job sees; absolute. */
  readonly environmentFile: string;
  readonly projectRoot: string;
  /** Lines of shell that run first, such as `module load nodejs`. */
  readonly prelude: readonly string[];
  /** A program with its arguments; the folder of the task's job is appended. */
  readonly command: readonly string[];
}

/** The exit code of a job that does not find the submitted files on its node; only the script itself uses it. */
export const notSharedExitCode = 79;

/** The exit code of a job whose prelude failed; only the script itself uses it. */
export const preludeExitCode = 80;

/**
 * The script of a job: its options as directives, then the environment, the site's own lines, and the command in place of the shell, so that
 * Slurm's signals reach it. Values are quoted, so folders may have any name.
 */
export function renderJobScript(script: JobScript): string {
  const { projectRoot, folders, prelude, command } = script;
  const missing = `repro: ${projectRoot} is not the same folder on this node as where the job was submitted`;
  return `${[
    '#!/bin/bash',
    ...listSbatchOptions(script).map((word) => `#SBATCH ${quoteDirective(word)}`),
    '',
    ...script.about.map((line) => `# ${line.replaceAll(/\p{Cc}/gu, ' ')}`),
    // It would end the shell, and what the shell starts until that handles it.
    "trap '' USR2",
    'folders=(',
    ...folders.map((folder) => `  ${quoteWord(folder)}`),
    ')',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own syntax
    'folder=${folders[${SLURM_ARRAY_TASK_ID:-0}]}',
    `if [ ! -d "$folder" ] || ! cd ${quoteWord(projectRoot)}; then`,
    `  echo ${quoteWord(missing)}": $(hostname)" >&2`,
    `  exit ${notSharedExitCode}`,
    'fi',
    ...setEnvironment(script.environmentFile, projectRoot, prelude),
    `exec ${quoteWords(command)} "$folder"`,
  ].join('\n')}\n`;
}

/**
 * The site's own lines often need what a login shell defines, such as `module`. The search paths of the submitting shell come before those of
 * the profiles, as for local stages, but after what the lines add.
 */
function setEnvironment(environmentFile: string, projectRoot: string, prelude: readonly string[]): string[] {
  const set = `. ${quoteWord(environmentFile)}`;
  if (prelude.length === 0) return [set];
  return [
    set,
    'unset LD_LIBRARY_PATH',
    '[ ! -r /etc/profile ] || . /etc/profile',
    'for profile in ~/.bash_profile ~/.bash_login ~/.profile; do',
    '  [ ! -r "$profile" ] || { . "$profile"; break; }',
    'done',
    'login_path=$PATH login_libraries=$LD_LIBRARY_PATH; unset LD_LIBRARY_PATH',
    set,
    'PATH=$PATH:$login_path',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own syntax
    '[ -z "$login_libraries" ] || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$login_libraries"',
    // As with `set -e`, a failing condition (`[ -f x ] && . x`) is no failure.
    `trap 'echo "repro: a line of the prelude failed with exit code $?: $BASH_COMMAND" >&2; exit ${preludeExitCode}' ERR`,
    ...prelude,
    'trap - ERR',
    `cd ${quoteWord(projectRoot)}`,
  ];
}

export function renderEnvironment(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quoteWord(value)}\n`)
    .join('');
}

/** The options of `sbatch`, each one word. */
function listSbatchOptions({ request, arraySize, atOnce, ...script }: JobScript): string[] {
  const { gpus, gpuType, memoryBytes, timeSeconds, warnSeconds } = request;
  const named = (['partition', 'account', 'qos', 'constraint'] as const).flatMap((name) =>
    request[name] === undefined ? [] : [`--${name}=${request[name]}`],
  );
  return [
    `--job-name=${script.name}`,
    `--comment=${script.comment}`,
    ...named,
    '--nodes=1',
    '--ntasks=1',
    `--cpus-per-task=${request.cpus}`,
    ...(memoryBytes === null ? [] : [`--mem=${Math.ceil(memoryBytes / 2 ** 20)}M`]),
    ...(gpus === 0 ? [] : [`--gres=gpu:${gpuType === null ? '' : `${gpuType}:`}${gpus}`]),
    ...(timeSeconds === null ? [] : [`--time=${formatTimeLimit(timeSeconds)}`]),
    ...(warnSeconds === null ? [] : [`--signal=B:USR2@${Math.ceil(warnSeconds)}`]),
    ...(arraySize === null ? [] : [`--array=0-${arraySize - 1}${atOnce === null ? '' : `%${atOnce}`}`]),
    // Nothing of the submitting shell's environment: the script says what the job sees.
    '--export=NIL',
    script.requeues ? '--requeue' : '--no-requeue',
    '--open-mode=append',
    // In a pattern, Slurm reads `%` as the start of a placeholder.
    `--output=${script.logFile.replaceAll('%', '%%')}${arraySize === null ? '' : '.%a'}`,
    ...request.flags,
  ];
}

/** `2-03:00:00`, rounded up to whole minutes, in which Slurm counts. */
export function formatTimeLimit(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = Math.floor(minutes / 1440);
  const clock = `${two(Math.floor((minutes % 1440) / 60))}:${two(minutes % 60)}:00`;
  return days === 0 ? clock : `${days}-${clock}`;
}

/** In directives, Slurm interprets quotes and backslashes, and an unquoted `#` starts a comment. */
function quoteDirective(word: string): string {
  const at = word.indexOf('=');
  const value = word.slice(at + 1);
  if (at === -1 || /^[\w.,:/=%@+|&-]*$/.test(value)) return word;
  return `${word.slice(0, at)}="${value.replace(/["\\]/g, (sign) => `\\${sign}`)}"`;
}
