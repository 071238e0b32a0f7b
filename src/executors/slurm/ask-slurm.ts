import process from 'node:process';
import { execa } from 'execa';
import { ReproError } from '../../errors.ts';
import { noAnswer } from './no-answer.ts';

/**
 * What one of Slurm's commands answered. `unknown`: the controller did not answer, or not in time, so that nothing is known: neither about
 * the jobs, nor about whether a request has been carried out.
 */
export type SlurmAnswer =
  | { readonly kind: 'ok'; readonly text: string }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'unknown'; readonly text: string };

/** A busy controller needs many seconds; one that needs more than this may as well be down. */
const answerWithinMs = 60_000;

/**
 * Runs one of Slurm's commands.
 *
 * @throws {ReproError} `slurm-missing` if this machine does not have it
 */
export async function askSlurm(
  program: 'sbatch' | 'squeue' | 'sacct' | 'scancel' | 'scontrol' | 'sinfo',
  words: readonly string[],
  options: { readonly environment?: NodeJS.ProcessEnv; readonly withinMs?: number } = {},
): Promise<SlurmAnswer> {
  const result = await execa(program, words, {
    env: withoutDefaults(options.environment ?? process.env),
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: options.withinMs ?? answerWithinMs,
    killSignal: 'SIGKILL',
    // A terminal's Ctrl-C is for the runner, which lets a submission finish.
    detached: true,
    cleanup: false,
    stripFinalNewline: true,
  });
  if (result.code === 'ENOENT') throw slurmMissing(program);
  const errors = result.stderr.trim();
  if (result.timedOut) return { kind: 'unknown', text: `${program} did not answer in time` };
  if (result.exitCode === 0) return { kind: 'ok', text: result.stdout };
  const text = errors === '' ? `${program} ended with ${result.signal ?? `code ${result.exitCode}`}` : errors;
  return { kind: result.signal !== undefined || noAnswer.test(errors) ? 'unknown' : 'refused', text };
}

/**
 * Without what would decide instead of the script or the words: variables go before directives, and filters would hide jobs. A runner
 * that is itself within a job would pass on the limits of that job.
 */
function withoutDefaults(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const others = Object.entries(environment).filter(
    ([name]) => name === 'SLURM_CONF' || !/^(SLURM|SBATCH|SQUEUE|SACCT|SCANCEL|SCONTROL|SINFO)_/.test(name),
  );
  // Messages are read here.
  return { ...Object.fromEntries(others), LC_ALL: 'C' };
}

function slurmMissing(program: string): ReproError {
  return new ReproError('slurm-missing', `\`${program}\` is not a program on this machine's PATH`, {
    fix: 'Run it on a login node of the cluster, or load its module; --dry-run prints the scripts without Slurm.',
  });
}
