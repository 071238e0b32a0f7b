import { type ExecFileException, execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { firstLineOf } from '../../base/errors.ts';
import type { CudaProbe } from '../../network/engines/tfjs/cuda.ts';
import type { ListedAdapters } from '../../network/engines/webgpu/adapters.ts';
import { stageEnvironment } from '../../runner/freshness/fingerprint.ts';

/** They change how an engine computes. */
export const engineVariables: readonly string[] = ['REPRO_ISA', 'REPRO_WINOGRAD', 'REPRO_GPU'];

type Command = readonly [string, ...string[]];

/** Runs `repro probe-<what>` of this program: a process of its own, because a broken driver may crash it. */
export const probing = (what: 'cuda' | 'gpus' | 'engine', ...words: readonly string[]): Command => [
  process.execPath,
  ...[process.argv[1] ?? '', `probe-${what}`, ...words],
];

/**
 * Probes CUDA in a separate process: the library keeps GPU memory, which a training needs, until its process ends.
 *
 * @param command program and arguments that run `repro probe-cuda`; default: this program
 */
export function probeCudaApart(command: Command = probing('cuda')): Promise<CudaProbe> {
  return askApart<CudaProbe>(command, 'usable', (reason) => ({
    ...{ usable: false, reason: `probing CUDA failed (${reason})` },
    fix: 'Run `./repro probe-cuda` to see why.',
  }));
}

/** Lists the GPUs of WebGPU in a separate process, without the warnings that its library prints. That takes less than a second. */
export function listGpusApart(command: Command = probing('gpus'), timeout = 30_000): Promise<ListedAdapters> {
  const fail = (reason: string): ListedAdapters => ({
    ...{ ok: false, reason: `looking for GPUs failed (${reason})` },
    fix: 'Run `./repro probe-gpus` to see why.',
  });
  return askApart(command, 'ok', fail, { timeout });
}

/**
 * The last line of JSON that a process prints before it is killed: drivers hang.
 *
 * @param key which every answer has
 */
export async function askApart<Answer extends object>(
  [program, ...words]: Command,
  key: keyof Answer,
  fail: (reason: string) => Answer,
  limits: { readonly timeout?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<Answer> {
  // Some variables change what a driver is: a stage must find what was found here.
  const env = stageEnvironment(engineVariables, process.env);
  const options = { timeout: 120_000, killSignal: 'SIGKILL', env, ...limits } as const;
  try {
    const { stdout } = await promisify(execFile)(program, words, options);
    // TensorFlow may print before it.
    const answer = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer;
    if (Object.hasOwn(answer, key)) return answer;
    throw new TypeError('not an answer');
  } catch (error) {
    const { killed, signal, stderr } = error as Partial<ExecFileException & { stderr: string }>;
    if (killed === true) return fail(`no answer after ${options.timeout / 1000} s`);
    // Dawn warns about limits that nobody uses.
    const said = stderr?.replace(/^Warning: .*\n/gm, '');
    return fail(signal ? `its process was ended by ${signal}` : firstLineOf(said || error));
  }
}
