import os from 'node:os';
import process from 'node:process';
import type { Resources } from '../plan/plan.ts';

/** The resources that stages share. */
export interface MachineResources {
  readonly cpu: number;
  readonly memoryBytes: number;
  /** Ids as `CUDA_VISIBLE_DEVICES` takes them. */
  readonly gpus: readonly string[];
}

/**
 * @param wanted what the stages of a run ask for: finding the GPUs takes a second, so only if one of them asks for any
 * @param options.gpus instead of those that are found
 */
export async function measureMachine(
  wanted: readonly Resources[],
  options: {
    readonly gpus?: readonly string[] | undefined;
    readonly environment?: NodeJS.ProcessEnv | undefined;
  },
): Promise<MachineResources> {
  const asksForGpus = wanted.some(({ gpu }) => gpu > 0);
  // In a container this is its limit; elsewhere 0 or larger than any memory.
  const limitBytes = process.constrainedMemory();
  const totalBytes = os.totalmem();
  return {
    cpu: os.availableParallelism(),
    memoryBytes: limitBytes > 0 && limitBytes < totalBytes ? limitBytes : totalBytes,
    gpus: options.gpus ?? (asksForGpus ? await findGpus(options.environment ?? process.env) : []),
  };
}

/** What a stage asks for beyond what the machine has, and what becomes of it, for a warning; null if it fits. */
export function describeShortage(wanted: Resources, machine: MachineResources): string | null {
  const [large, gpus] = [describeExcess(wanted, machine), describeMissingGpus(wanted, machine)];
  if (large === null) return gpus;
  const text = `asks for more than this machine has (${large}), so it runs alone`;
  return gpus === null ? text : `${text}; it also ${gpus}`;
}

function describeExcess(wanted: Resources, machine: MachineResources): string | null {
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const shortages = [
    wanted.cpu !== 'share' && wanted.cpu > machine.cpu ? `${wanted.cpu} CPUs of ${machine.cpu}` : null,
    wanted.memoryBytes > machine.memoryBytes
      ? `${gigabytes(wanted.memoryBytes)} GB memory of ${gigabytes(machine.memoryBytes)}`
      : null,
  ].filter((one) => one !== null);
  return shortages.length === 0 ? null : shortages.join(', ');
}

/** Not a failure: whoever has no GPU can still run everything, slowly, where the stage's program can do without. */
function describeMissingGpus({ gpu }: Resources, { gpus }: MachineResources): string | null {
  if (gpu <= gpus.length) return null;
  const wanted = gpu === 1 ? 'a GPU' : `${gpu} GPUs`;
  if (gpus.length === 0) return `asks for ${wanted}, but the runner found none, so it runs without`;
  return `asks for ${wanted}, but the runner found ${gpus.length}, so it runs with that`;
}

async function findGpus(environment: NodeJS.ProcessEnv): Promise<readonly string[]> {
  return (await import('./gpus.ts')).findGpus(environment);
}
