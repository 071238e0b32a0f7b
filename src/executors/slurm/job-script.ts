import { quoteWord } from '../../files/shell-words.ts';
import { type JobOptions, listSbatchOptions } from './job-options.ts';
import { noAnswer } from './job-state.ts';

/** The exit code of a job that does not find the submitted files on its node; only the script itself uses it. */
export const notSharedExitCode = 79;

/** The exit code of a job whose prelude failed; only the script itself uses it. */
export const preludeExitCode = 80;

/**
 * The exit code with which the command asks to be requeued. Nothing else uses it: it is above those of sysexits.h, and below those of
 * shells, containers and signals.
 */
export const continueExitCode = 88;

/** In the folder of a task: why Slurm did not requeue its job. */
export const refusalFileName = 'requeue.txt';

/** In the folder of a task: how its command ended. */
export const endFileName = 'end.json';

/** In the folder of a task, once its command handles signals: until then they would kill it. */
export const listeningFileName = 'listening';

/** How long to wait until the command handles signals. */
const listensWithinSeconds = 60;

/** How long to repeat a request that the controller does not answer: the job's time is nearly over. */
const askAgainSeconds = 30;

/** What a shell makes of SIGABRT, SIGKILL, SIGSEGV, SIGUSR2 and SIGTERM. Other codes above 128 may be a program's own, or a signal that only stops. */
const deadlyCodes = '134|137|139|140|143';

/** How long Slurm may take to end a job that it has requeued. */
const requeuedWithinSeconds = 120;

/** The files in the folder of a task that belong to one attempt only. */
const leftBehind = [endFileName, refusalFileName, listeningFileName].join(',');

export interface JobScript {
  readonly options: JobOptions;
  /** Lines of comment that say what it runs. */
  readonly about: readonly string[];
  /** A file that exists on the node only if the project is the same folder as where the job was submitted; absolute. */
  readonly proofFile: string;
  /** A shell file with the variables that the job sees; absolute. */
  readonly environmentFile: string;
  /** Contains a folder for each task, named by its index; absolute. */
  readonly tasksFolder: string;
  /** A link that names the job that these tasks belong to, once that is decided; absolute. */
  readonly claimFile: string;
  readonly projectRoot: string;
  /** Lines of shell that run first, such as `module load nodejs`. */
  readonly prelude: readonly string[];
  /** A program with its arguments; the index of the task is appended. */
  readonly command: readonly string[];
  /** The index of the only task of a job that is no array. */
  readonly index?: number;
}

/**
 * The script of a job: its options as directives, then the environment, the site's own lines, and the command. Values are quoted, so
 * folders may have any name.
 *
 * The shell keeps running beside the command. The command may be in a container without Slurm's commands, and `--signal=B:` signals only the
 * shell.
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
    ...passSignals(script),
    `if [ ! -f ${quoteWord(script.proofFile)} ] || ! cd ${quoteWord(projectRoot)}; then`,
    `  echo ${quoteWord(missing)}": $(hostname)" >&2`,
    `  exit ${notSharedExitCode}`,
    'fi',
    // Remove what an earlier attempt of this job has left, but not the files of another job.
    `[ "$(readlink ${quoteWord(script.claimFile)})" != "\${job%%_*}" ] || rm -f "$task"/{${leftBehind}}`,
    ...setEnvironment(script),
    ...runCommand(script),
    ...continueInQueue(),
    // A container's own exit code must not look like the script's.
    `case $status in ${notSharedExitCode}|${preludeExitCode}) status=1;; esac`,
    // Let Slurm see the signal that ended the command, rather than the exit code that the shell makes of it.
    `case $status in ${deadlyCodes}) ulimit -c 0; trap - "$((status - 128))"; kill "-$((status - 128))" "$$";; esac`,
    'exit "$status"',
  ].join('\n')}\n`;
}

/**
 * Handles signals from the first line on, so that only the end of the command ends the script. A warning waits until the command handles it;
 * a signal to end is passed on at once.
 */
function passSignals({ options, tasksFolder, index = 0 }: JobScript): string[] {
  // The id of an array's last task is that of the whole array, too.
  const job = options.array === null ? '$SLURM_JOB_ID' : '"$SLURM_ARRAY_JOB_ID"_$index';
  return [
    `index=${options.array === null ? index : '$SLURM_ARRAY_TASK_ID'}`,
    `job=${job} task=${quoteWord(tasksFolder)}/$index`,
    'runner= warned= ending=',
    'pass() {',
    `  for _ in {1..${listensWithinSeconds * 5}}; do`,
    '    kill -0 "$runner" 2>/dev/null || return 0',
    `    [ ! -e "$task/${listeningFileName}" ] || break`,
    '    sleep 0.2',
    '  done',
    '  kill -s USR2 "$runner" 2>/dev/null || :',
    '}',
    'warn() { warned=1; [ -z "$runner" ] || pass & }',
    'end() { ending=1; [ -z "$runner" ] || kill -s TERM "$runner" 2>/dev/null || :; }',
    ...takeSignals,
  ];
}

/** `ending`: cancelled or out of time, so it must not be requeued. */
const takeSignals = ['trap warn USR2', 'trap end TERM'];

/**
 * The site's own lines often need what a login shell defines, such as `module`. The profiles, which need the environment, are read here: a
 * signal would end another shell while it starts. The search paths of the submitting shell come before those of the profiles, as for local
 * stages, but after what the lines add.
 */
function setEnvironment({ environmentFile, projectRoot, prelude }: JobScript): string[] {
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
    // The lines may have set other traps.
    ...takeSignals,
  ];
}

/** A signal ends the `wait`, not the command, which lets its stage save first; so the script waits again. */
function runCommand({ command }: JobScript): string[] {
  return [
    `${command.map(quoteWord).join(' ')} "$index" &`,
    'runner=$!',
    '[ -z "$warned" ] || pass &',
    '[ -z "$ending" ] || end',
    'status=127',
    'while :; do',
    '  lives=; kill -0 "$runner" 2>/dev/null && lives=1',
    '  last=0; wait "$runner" || last=$?',
    // 127: the shell has already reported the end of this command.
    '  [ "$last" -eq 127 ] || status=$last',
    '  [ -n "$lives" ] || break',
    'done',
    // Later signals change nothing.
    "trap '' USR2; trap - TERM",
  ];
}

/** Requeues the job if the command asked for it: Slurm ends it and starts it again under the same id, so its dependents keep waiting. */
function continueInQueue(): string[] {
  return [
    // Another program may use the same exit code.
    `says_so() { [ -f "$task/${endFileName}" ] && [[ $(<"$task/${endFileName}") == *'"because":'* ]]; }`,
    `if [ "$status" -eq ${continueExitCode} ] && [ -z "$ending" ] && says_so; then`,
    '  shopt -s nocasematch',
    `  no_answer=${quoteWord(noAnswer.source)}`,
    `  until=$((SECONDS + ${askAgainSeconds}))`,
    '  while :; do',
    '    if said=$(scontrol requeue "$job" 2>&1); then',
    `      sleep ${requeuedWithinSeconds}`,
    `      said='accepted, but not done within ${requeuedWithinSeconds} s'`,
    '      break',
    '    fi',
    `    echo "$said" > "$task/${refusalFileName}"`,
    '    [ "$SECONDS" -lt "$until" ] && [[ $said =~ $no_answer ]] || break',
    '    sleep 2',
    '  done',
    `  echo "$said" > "$task/${refusalFileName}"`,
    'fi',
  ];
}

export function renderEnvironment(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quoteWord(value)}\n`)
    .join('');
}

/** In directives, Slurm interprets quotes and backslashes, and an unquoted `#` starts a comment. */
function quoteDirective(word: string): string {
  const at = word.indexOf('=');
  const value = word.slice(at + 1);
  if (at === -1 || /^[\w.,:/=%@+|&-]*$/.test(value)) return word;
  return `${word.slice(0, at)}="${value.replace(/["\\]/g, (sign) => `\\${sign}`)}"`;
}
