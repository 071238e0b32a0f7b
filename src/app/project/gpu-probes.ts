import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
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
export async function probeCudaApart(command: Command = probing('cuda')): Promise<CudaProbe> {
  try {
    const probe = (await ask(command)) as CudaProbe;
    if (typeof probe.usable === 'boolean') return probe;
    throw new TypeError('not a probe');
  } catch (error) {
    const reason = `probing CUDA failed (${firstLine(error)})`;
    return { usable: false, reason, fix: 'Run `./repro probe-cuda` to see why.' };
  }
}

/**
 * Lists the GPUs of WebGPU in a separate process, without the warnings that its library prints.
 *
 * @param command program and arguments that run `repro probe-gpus`; default: this program
 */
export async function listGpusApart(command: Command = probing('gpus')): Promise<ListedAdapters> {
  try {
    const listed = (await ask(command)) as ListedAdapters;
    if (typeof listed.ok === 'boolean') return listed;
    throw new TypeError('not a list');
  } catch (error) {
    const reason = `looking for GPUs failed (${firstLine(error)})`;
    return { ok: false, reason, fix: 'Run `./repro probe-gpus` to see why.' };
  }
}

/** What `repro probe-cuda` and `repro probe-gpus` print: one line of JSON. */
export async function probeHere(what: 'cuda' | 'gpus'): Promise<string> {
  const { probeCuda } = await import('../../network/engines/tfjs/cuda.ts');
  const { listAdapters } = await import('../../network/engines/webgpu/adapters.ts');
  return `${JSON.stringify(await (what === 'cuda' ? probeCuda() : listAdapters()))}\n`;
}

async function ask([program, ...words]: Command): Promise<unknown> {
  const { stdout } = await promisify(execFile)(program, words, { timeout: timeoutMs });
  // TensorFlow may print before it.
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
