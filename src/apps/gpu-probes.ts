import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import type { ListedAdapters } from '../engines/webgpu/adapters.ts';

type Command = readonly [string, ...string[]];

/** After this long, it hangs. */
const timeoutMs = 120_000;

/**
 * Lists the GPUs of WebGPU in a separate process, which a broken driver may crash, without the warnings that its library prints.
 *
 * @param command program and arguments that run `repro probe-gpus`; default: this program
 */
export async function listGpusApart(
  [program, ...words]: Command = [process.execPath, process.argv[1] ?? '', 'probe-gpus'],
): Promise<ListedAdapters> {
  try {
    const { stdout } = await promisify(execFile)(program, words, { timeout: timeoutMs });
    const listed: ListedAdapters = JSON.parse(stdout);
    if (typeof listed.ok === 'boolean') return listed;
    throw new TypeError('not a list');
  } catch (error) {
    const reason = `looking for GPUs failed (${firstLine(error)})`;
    return { ok: false, reason, fix: 'Run `./repro probe-gpus` to see why.' };
  }
}

/** What `repro probe-gpus` prints: one line of JSON. */
export async function listGpusHere(): Promise<string> {
  const { listAdapters } = await import('../engines/webgpu/adapters.ts');
  return `${JSON.stringify(await listAdapters())}\n`;
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
