import { readdirSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import type { Resources } from '../plan.ts';

/** The resources that stages share. */
export interface MachineResources {
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly gpu: number;
}

export function measureMachine(): MachineResources {
  // In a container this is its limit; elsewhere 0 or larger than any memory.
  const limitBytes = process.constrainedMemory();
  const totalBytes = os.totalmem();
  return {
    cpu: os.availableParallelism(),
    memoryBytes: limitBytes > 0 && limitBytes < totalBytes ? limitBytes : totalBytes,
    gpu: countGpus(),
  };
}

/** What a stage asks for beyond what the machine has; null if it fits. */
export function describeShortage(wanted: Resources, machine: MachineResources): string | null {
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const shortages = [
    wanted.cpu !== 'share' && wanted.cpu > machine.cpu ? `${wanted.cpu} CPUs of ${machine.cpu}` : null,
    wanted.memoryBytes > machine.memoryBytes
      ? `${gigabytes(wanted.memoryBytes)} GB memory of ${gigabytes(machine.memoryBytes)}`
      : null,
    wanted.gpu > machine.gpu ? `${wanted.gpu} GPUs of ${machine.gpu}` : null,
  ].filter((one) => one !== null);
  return shortages.length === 0 ? null : shortages.join(', ');
}

/** The device files of NVIDIA's driver; other systems have none. */
function countGpus(): number {
  try {
    return readdirSync('/dev').filter((name) => /^nvidia\d+$/.test(name)).length;
  } catch {
    return 0;
  }
}
