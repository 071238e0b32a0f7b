import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/**
 * The cores that this process may use: those that it is bound to (`taskset`, `srun --cpu-bind`), and no more than the quotas of its control
 * group and of those above it (cgroup v2: containers, systemd's `CPUQuota`), rounded down, at least 1.
 *
 * @param root where `/proc` and `/sys` are
 */
export function countCores(root = '/'): number {
  const group = /^0::(.*)$/m.exec(readIfThere(path.join(root, 'proc/self/cgroup')))?.[1] ?? '/';
  let cores = os.availableParallelism();
  for (let at = group; ; at = path.posix.dirname(at)) {
    // `200000 100000`: µs of all cores together in each period of so many µs; `max 100000` without a limit.
    const [quota, period] = readIfThere(path.join(root, 'sys/fs/cgroup', at, 'cpu.max'))
      .split(' ')
      .map(Number);
    const limit = (quota ?? 0) / (period ?? 0);
    if (limit > 0) cores = Math.min(cores, Math.max(1, Math.floor(limit)));
    if (at === '/' || at === '.') return cores;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // another system, or a group without a limit
  }
}
