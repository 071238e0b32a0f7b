import { quoteWord } from '../../files/shell-words.ts';
import { type JobOptions, listSbatchOptions } from './job-options.ts';

/** The exit code of a job that does not find on its node what was submitted. */
export const notSharedExitCode = 79;

/**
 * The exit code by which the command asks to be put back into the queue. Nothing else uses it: it is above those of sysexits.h, and below
 * those of shells, containers and signals.
 */
export const continueExitCode = 88;

/** In the folder of a task: why Slurm did not put its job back into the queue. */
export const refusalFileName = 'requeue.txt';

/** What a shell makes of SIGABRT, SIGKILL, SIGSEGV, SIGUSR2 and SIGTERM. Other codes above 128 may be a program's own, or a signal that only stops. */
const deadlyCodes = '134|137|139|140|143';

/** How long Slurm may take to end a job that it has put back into the queue. */
const requeuedWithinSeconds = 120;

export interface JobScript {
  readonly options: JobOptions;
  /** Lines of comment that say what it runs. */
  readonly about: readonly string[];
  /** A file that is there if the project's folder is the same on the node as where the job was submitted; absolute. */
  readonly proofFile: string;
  /** A shell file with the variables that the job sees; absolute. */
  readonly environmentFile: string;
  /** Contains a folder for each task, named by its index; absolute. */
  readonly tasksFolder: string;
  readonly projectRoot: string;
  /** Lines of shell that run first, such as `module load nodejs`. */
  readonly prelude: readonly string[];
  /** A program with its arguments; the index of its task is added as the last one. */
  readonly command: readonly string[];
  /** The index of the only task, where it is no array. */
  readonly index?: number;
}

/**
 * The script of a job: its options as directives, then the environment, the site's own lines, and the command. Values are quoted, so
 * that folders may have any name.
 *
 * The shell stays beside the command, which may be in a container without Slurm's commands, and to which Slurm's signals do not come:
 * those of `--signal=B:` are for the shell alone.
 */
export function renderJobScript(script: JobScript): string {
  const { options, projectRoot } = script;
  const directives = listSbatchOptions(options).map((word) => `#SBATCH ${quoteDirective(word)}`);
  const missing = `repro: ${projectRoot} is not the same folder on this node as where the job was submitted`;
  return `${[
    '#!/bin/bash',
    ...directives,
    '',
    ...script.about.map((line) => `# ${line}`),
    `if [ ! -f ${quoteWord(script.proofFile)} ] || ! cd ${quoteWord(projectRoot)}; then`,
    `  echo ${quoteWord(missing)}": $(hostname)" >&2`,
    `  exit ${notSharedExitCode}`,
    'fi',
    ...setEnvironment(script),
    ...runCommand(script),
    ...continueInQueue(script),
    // Slurm is to see by which signal the command was ended: the code that a shell makes of it looks like another.
    `case $status in ${deadlyCodes}) ulimit -c 0; kill "-$((status - 128))" "$$";; esac`,
    'exit "$status"',
  ].join('\n')}\n`;
}

/**
 * The site's own lines often need what a login shell defines, such as `module`, and its profiles need to know whose home it is. The search
 * paths of the submitting shell come before those of the profiles, as for its own stages, and hide nothing that the lines add.
 */
function setEnvironment({ environmentFile, projectRoot, prelude }: JobScript): string[] {
  const set = `. ${quoteWord(environmentFile)}`;
  if (prelude.length === 0) return [set];
  return [
    'login_path=$PATH login_libraries=$LD_LIBRARY_PATH; unset LD_LIBRARY_PATH',
    set,
    'shopt -q login_shell || exec bash --login "$0"',
    'PATH=$PATH:$login_path',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own syntax
    '[ -z "$login_libraries" ] || export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$login_libraries"',
    ...prelude,
    `cd ${quoteWord(projectRoot)}`,
  ];
}

/** A signal that is passed on to the command ends the wait, and not the command, which lets its stage save first. */
function runCommand({ options, command, index = 0 }: JobScript): string[] {
  return [
    `index=${options.array === null ? index : '$SLURM_ARRAY_TASK_ID'}`,
    'runner= passed= ending=',
    'forward() { passed=$1; [ -z "$runner" ] || kill -s "$1" "$runner"; }',
    "trap 'forward USR2' USR2",
    // Cancelled, or out of time: it must not come back.
    "trap 'ending=1; forward TERM' TERM",
    `${command.map(quoteWord).join(' ')} "$index" &`,
    'runner=$!',
    '[ -z "$passed" ] || kill -s "$passed" "$runner"',
    'passed=1',
    'while [ -n "$passed" ]; do passed= status=0; wait "$runner" || status=$?; done',
    'trap - USR2 TERM',
  ];
}

/** Slurm then ends the job and starts it again, under the same id, so that what waits for it goes on waiting. */
function continueInQueue({ options, tasksFolder }: JobScript): string[] {
  // The id of an array's last task is that of the whole array, too.
  const job = options.array === null ? '"$SLURM_JOB_ID"' : '"$SLURM_ARRAY_JOB_ID"_"$index"';
  return [
    `if [ "$status" -eq ${continueExitCode} ] && [ -z "$ending" ]; then`,
    `  if said=$(scontrol requeue ${job} 2>&1); then`,
    `    sleep ${requeuedWithinSeconds}`,
    `    said='accepted, but not done within ${requeuedWithinSeconds} s'`,
    '  fi',
    `  echo "$said" > ${quoteWord(tasksFolder)}/"$index"/${refusalFileName}`,
    'fi',
  ];
}

/** A shell file that sets these variables. */
export function renderEnvironment(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quoteWord(value)}\n`)
    .join('');
}

/** In directives, Slurm itself reads quotes and backslashes, and takes an unquoted `#` for the start of a comment. */
function quoteDirective(word: string): string {
  const at = word.indexOf('=');
  const value = word.slice(at + 1);
  if (at === -1 || /^[\w.,:/=%@+|&-]*$/.test(value)) return word;
  return `${word.slice(0, at)}="${value.replace(/["\\]/g, (sign) => `\\${sign}`)}"`;
}
