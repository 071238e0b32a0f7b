import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

/** A process, told from any later one that gets the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Two processes of the same space can see each other; null where the system does not say. */
  readonly space: string | null;
  /** When the process started, in the system's own notation; null where the system does not say. */
  readonly startTime: string | null;
}

export function identifyThisProcess(): ProcessIdentity {
  return {
    pid: process.pid,
    host: os.hostname(),
    space: readProcessSpace(),
    startTime: readStartTime(process.pid),
  };
}

/** `unknown`: it lives or lived on another machine or in another container, and cannot be looked up from here. */
export function findProcess(identity: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const space = readProcessSpace();
  if (identity.host !== os.hostname() || identity.space !== space) return 'unknown';
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: it is there, but belongs to someone else.
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return 'dead';
  }
  return readStartTime(identity.pid) === identity.startTime ? 'alive' : 'dead';
}

/** Linux: this boot of this kernel, and the container's view of its processes. */
function readProcessSpace(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

function readStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets, which may hold anything; the start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    if (process.platform === 'linux' || process.platform === 'win32') return null;
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    }).trim();
  } catch {
    return null;
  }
}
