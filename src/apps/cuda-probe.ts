import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import type { CudaProbe } from '../engines/tfjs/cuda.ts';

const probeCommand = 'probe-cuda';

/** Loading TensorFlow and finding no driver takes seconds; after this long, it hangs. */
const timeoutMs = 120_000;

/**
 * Probes CUDA in a separate process: the library keeps GPU memory, which a training needs, until its process ends, and a broken driver
 * may crash it.
 *
 * @param command program and arguments that run `repro probe-cuda`; default: this program
 */
export async function probeCudaApart(
  command: readonly [string, ...string[]] = [process.execPath, process.argv[1] ?? '', probeCommand],
): Promise<CudaProbe> {
  const [program, ...words] = command;
  try {
    const { stdout } = await promisify(execFile)(program, words, { timeout: timeoutMs });
    // TensorFlow may print before it.
    const probe: CudaProbe = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    if (typeof probe.usable === 'boolean') return probe;
    throw new TypeError(`not a probe: ${stdout}`);
  } catch (error) {
    const how = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return {
      usable: false,
      reason: `probing CUDA failed (${how})`,
      fix: 'Run `./repro probe-cuda` to see why.',
    };
  }
}

/** `repro probe-cuda`, which `probeCudaApart` runs: one line of JSON. */
export async function probeCudaHere(): Promise<string> {
  const { probeCuda } = await import('../engines/tfjs/cuda.ts');
  return `${JSON.stringify(await probeCuda())}\n`;
}
