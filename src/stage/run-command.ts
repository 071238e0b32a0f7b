import { spawn } from 'node:child_process';
import process from 'node:process';
import { hasErrorCode, ReproError } from '../errors.ts';
import type { StageTask } from './protocol.ts';

/**
 * Runs a `cmd:` stage as a child in this process group, so that killing the group kills it too. Its paths are in the
 * environment: `REPRO_INPUT_0`, `REPRO_OUTPUT_0`, `REPRO_RESUME_0` and so on, in the order of the pipeline file.
 *
 * @throws {ReproError} `command-not-found`, `command-failed`, `killed`
 */
export async function runCommand(task: StageTask): Promise<void> {
  const [program, ...args] = task.argv ?? [];
  if (program === undefined) throw new ReproError('command-not-found', 'the command is empty');
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...describePaths(task) },
  });
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', (error) => reject(explainStart(program, error)));
    child.once('exit', (code, name) => resolve([code, name]));
  });
  if (signal !== null) {
    const hint =
      signal === 'SIGKILL' ? '; unless someone did that by hand, the machine ran out of memory' : '';
    throw new ReproError('killed', `"${program}" was killed by ${signal}${hint}`);
  }
  if (exitCode !== 0) throw new ReproError('command-failed', `"${program}" exited with code ${exitCode}`);
}

function describePaths(task: StageTask): NodeJS.ProcessEnv {
  const number = (name: string, paths: readonly string[]): [string, string][] =>
    paths.map((one, i) => [`REPRO_${name}_${i}`, one]);
  return {
    ...Object.fromEntries([
      ...number('INPUT', task.inputs),
      ...number('OUTPUT', task.outputs),
      ...number('RESUME', task.resume),
    ]),
    REPRO_ID: task.id,
    REPRO_CPUS: String(task.cpus),
    REPRO_PARAMS: JSON.stringify(task.params),
    REPRO_MATRIX: JSON.stringify(task.matrix),
  };
}

function explainStart(program: string, cause: Error): ReproError {
  if (hasErrorCode(cause, 'ENOENT')) {
    return new ReproError('command-not-found', `"${program}" is not a program on this machine's PATH`, {
      fix: 'Install it, or correct `cmd:`.',
      cause,
    });
  }
  if (hasErrorCode(cause, 'EACCES')) {
    return new ReproError('command-not-found', `"${program}" is not executable`, {
      fix: `chmod +x ${program}`,
      cause,
    });
  }
  return new ReproError('command-failed', `"${program}" could not be started: ${cause.message}`, { cause });
}
