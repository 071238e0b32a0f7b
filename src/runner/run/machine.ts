import os from 'node:os';
import process from 'node:process';
import { countCores } from '../../base/cores.ts';
import type { Resources } from '../plan/plan.ts';

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
export function measureMachine(
  wanted: readonly Resources[],
  options: {
    readonly gpus?: readonly string[] | undefined;
    readonly environment?: NodeJS.ProcessEnv | undefined;
  },
): MachineResources {
  const asksForGpus = wanted.some(({ gpu }) => gpu > 0);
  // In a container this is its limit; elsewhere 0 or larger than any memory.
  const limitBytes = process.constrainedMemory();
  const totalBytes = os.totalmem();
  return {
    cpu: countCores(),
    memoryBytes: limitBytes > 0 && limitBytes < totalBytes ? limitBytes : totalBytes,
    gpus: options.gpus ?? (asksForGpus ? findGpus(options.environment ?? process.env) : []),
  };
}

/**
 * What a stage asks for beyond what the machine has, and what happens then, for a warning; null if it fits. Too few GPUs are not a failure:
 * everything still runs, slowly, if the stage's program can use the CPU.
 */
export function describeShortage(wanted: Resources, machine: MachineResources): string | null {
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const { cpu, memoryBytes, gpu } = wanted;
  const large = [
    ...(cpu !== 'share' && cpu > machine.cpu ? [`${cpu} CPUs of ${machine.cpu}`] : []),
    ...(memoryBytes > machine.memoryBytes
      ? [`${gigabytes(memoryBytes)} GB memory of ${gigabytes(machine.memoryBytes)}`]
      : []),
  ];
  const texts: string[] = [];
  if (large.length > 0)
    texts.push(`asks for more than this machine has (${large.join(', ')}), so it runs alone`);
  const found = machine.gpus.length;
  if (gpu > found) {
    const gpus = gpu === 1 ? 'a GPU' : `${gpu} GPUs`;
    const how = found === 0 ? 'without any' : 'with that';
    texts.push(`asks for ${gpus}, but the runner found ${found || 'none'}, so it runs ${how}`);
  }
  return texts.length === 0 ? null : texts.join('; ');
}

/** A driver that hangs must not hang the runner. */
const answerWithinMs = 20_000;

/**
 * The GPUs that stages may use, as `CUDA_VISIBLE_DEVICES` takes them: those that the variable names in the runner's own
 * environment, else all that `nvidia-smi` lists.
 */
export function findGpus(environment: NodeJS.ProcessEnv): readonly string[] {
  const visible = environment.CUDA_VISIBLE_DEVICES;
  if (visible !== undefined) return parseVisibleDevices(visible);
  // Not imported: a run with nothing to do would take 5 % longer.
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  try {
    const text = execFileSync('nvidia-smi', ['-L'], {
      encoding: 'utf8',
      env: environment,
      timeout: answerWithinMs,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return [...text.matchAll(/^GPU (\d+):/gm)].map(([, number = '']) => number);
  } catch {
    return [];
  }
}

/** As CUDA reads it: everything from the first id that is none, such as `-1`, is ignored. */
function parseVisibleDevices(text: string): readonly string[] {
  const ids = text.split(',').map((one) => one.trim());
  const end = ids.findIndex((one) => !isDeviceId(one));
  return [...new Set(end === -1 ? ids : ids.slice(0, end))];
}

/** What tells a stage which GPUs it has. Numbers mean what `nvidia-smi` shows: without the second variable, CUDA may count in another order. */
export function gpuEnvironment(
  gpus: readonly string[],
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const { CUDA_VISIBLE_DEVICES: visible, CUDA_DEVICE_ORDER: order } = environment;
  const ownOrder = order ?? (visible === undefined ? 'PCI_BUS_ID' : undefined);
  return {
    CUDA_VISIBLE_DEVICES: gpus.join(','),
    ...(ownOrder === undefined ? {} : { CUDA_DEVICE_ORDER: ownOrder }),
  };
}

function isDeviceId(text: string): boolean {
  return /^(\d+|(GPU|MIG)-[\w/-]+)$/.test(text);
}

/** The ids of `--gpus 0,1`; null if they are none. */
export function parseGpuList(text: string): readonly string[] | null {
  const ids = parseVisibleDevices(text);
  return ids.length === text.split(',').length ? ids : null;
}
