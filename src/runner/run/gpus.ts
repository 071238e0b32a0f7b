import { readdirSync } from 'node:fs';
import process from 'node:process';
import { isDeviceId } from './gpu-list.ts';

/** A driver that hangs must not hang the runner. */
const answerWithinMs = 20_000;

/**
 * The GPUs that stages may use, as `CUDA_VISIBLE_DEVICES` takes them: those that the variable names in the runner's own
 * environment, else all that `nvidia-smi` lists, else one for each device file of NVIDIA's driver.
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
    return parseDeviceList(text);
  } catch {
    return listDeviceFiles();
  }
}

/** As CUDA reads it: everything from the first id that is none, such as `-1`, is ignored. */
export function parseVisibleDevices(text: string): readonly string[] {
  const ids = text.split(',').map((one) => one.trim());
  const end = ids.findIndex((one) => !isDeviceId(one));
  return [...new Set(end === -1 ? ids : ids.slice(0, end))];
}

/** The answer of `nvidia-smi -L`. A GPU that is divided into MIG devices cannot be used as a whole. */
export function parseDeviceList(text: string): readonly string[] {
  const gpus: string[][] = [];
  for (const line of text.split('\n')) {
    const number = /^GPU (\d+):/.exec(line)?.[1];
    if (number !== undefined) gpus.push([number]);
    const part = /^\s+MIG .*\(UUID: (MIG-[^)\s]+)\)/.exec(line)?.[1];
    if (part !== undefined) gpus.at(-1)?.push(part);
  }
  return gpus.flatMap(([number = '', ...parts]) => (parts.length === 0 ? [number] : parts));
}

function listDeviceFiles(): readonly string[] {
  try {
    const files = readdirSync('/dev').filter((name) => /^nvidia\d+$/.test(name));
    // The driver numbers what a container sees from 0, whatever the names of the files.
    return files.map((_, index) => String(index));
  } catch {
    return [];
  }
}

/**
 * What tells a stage which GPUs it has. Numbers mean what `nvidia-smi` shows: without the second variable, CUDA may count in another
 * order.
 */
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
