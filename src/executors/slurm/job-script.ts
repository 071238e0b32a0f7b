import { quoteWord } from '../../files/shell-words.ts';
import { type JobOptions, listSbatchOptions } from './job-options.ts';

/** The exit code of a job that does not find on its node what was submitted. */
export const notSharedExitCode = 79;

export interface JobScript {
  readonly options: JobOptions;
  /** Lines of comment that say what it runs. */
  readonly about: readonly string[];
  /** A file that is there if the project's folder is the same on the node as where the job was submitted; absolute. */
  readonly proofFile: string;
  /** A shell file with the variables that the job sees; absolute. */
  readonly environmentFile: string;
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
 */
export function renderJobScript(script: JobScript): string {
  const { options, prelude, projectRoot } = script;
  const directives = listSbatchOptions(options).map((word) => `#SBATCH ${quoteDirective(word)}`);
  const missing = `repro: ${projectRoot} is not the same folder on this node as where the job was submitted`;
  const index = options.array === null ? String(script.index ?? 0) : '"$SLURM_ARRAY_TASK_ID"';
  return `${[
    // Site-specific lines often need what a login shell defines, such as `module`.
    prelude.length === 0 ? '#!/bin/bash' : '#!/bin/bash -l',
    ...directives,
    '',
    ...script.about.map((line) => `# ${line}`),
    `if [ ! -f ${quoteWord(script.proofFile)} ] || ! cd ${quoteWord(projectRoot)}; then`,
    `  echo ${quoteWord(missing)}": $(hostname)" >&2`,
    `  exit ${notSharedExitCode}`,
    'fi',
    `. ${quoteWord(script.environmentFile)}`,
    ...prelude,
    `exec ${script.command.map(quoteWord).join(' ')} ${index}`,
  ].join('\n')}\n`;
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
