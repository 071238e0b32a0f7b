import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { firstLineOf } from '../../base/errors.ts';
import type { CudaProbe } from '../../network/engines/tfjs/cuda.ts';
import type { ListedAdapters } from '../../network/engines/webgpu/adapters.ts';

type Command = readonly [string, ...string[]];

/** Loading TensorFlow and finding no driver takes seconds; after this long, it hangs. */
const timeoutMs = 120_000;

/** Runs `repro probe-<what>` of this program: a process of its own, because a broken driver may crash it. */
const probing = (what: 'cuda' | 'gpus'): Command => [
  process.execPath,
  process.argv[1] ?? '',
  `probe-${what}`,
];

/**
 * Probes CUDA in a separate process: the library keeps GPU memory, which a training needs, until its process ends.
 *
 * @param command program and arguments that run `repro probe-cuda`; default: this program
 */
export function probeCudaApart(command: Command = probing('cuda')): Promise<CudaProbe> {
  return ask<CudaProbe>(command, 'usable', (reason) => {
    return {
      usable: false,
      reason: `probing CUDA failed (${reason})`,
      fix: 'Run `./repro probe-cuda` to see why.',
    };
  });
}

/** Lists the GPUs of WebGPU in a separate process, without the warnings that its library prints. */
export function listGpusApart(command: Command = probing('gpus')): Promise<ListedAdapters> {
  return ask<ListedAdapters>(command, 'ok', (reason) => {
    return {
      ok: false,
      reason: `looking for GPUs failed (${reason})`,
      fix: 'Run `./repro probe-gpus` to see why.',
    };
  });
}

/** What `repro probe-cuda` and `repro probe-gpus` print: one line of JSON. */
export async function probeHere(what: 'cuda' | 'gpus'): Promise<string> {
  const { probeCuda } = await import('../../network/engines/tfjs/cuda.ts');
  const { listAdapters } = await import('../../network/engines/webgpu/adapters.ts');
  return `${JSON.stringify(await (what === 'cuda' ? probeCuda() : listAdapters()))}\n`;
}

/** @param key whose value tells whether it worked */
async function ask<Answer>(
  [program, ...words]: Command,
  key: keyof Answer,
  fail: (reason: string) => Answer,
): Promise<Answer> {
  try {
    const { stdout } = await promisify(execFile)(program, words, { timeout: timeoutMs });
    // TensorFlow may print before it.
    const answer = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer;
    if (typeof answer[key] === 'boolean') return answer;
    throw new TypeError('not an answer');
  } catch (error) {
    return fail(firstLineOf(error));
  }
}
