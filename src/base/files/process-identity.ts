import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { hasErrorCode } from '../errors.ts';

/** Identifies a process, distinct from any later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Two processes in the same space can see each other; null if the system does not report it. */
  readonly space: string | null;
  /** When the process started, in the system's own notation; null if the system does not report it. */
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

/** `unknown`: it runs or ran on another machine or in another container and cannot be looked up from here. */
export function findProcess(identity: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const space = readProcessSpace();
  if (identity.host !== os.hostname() || identity.space !== space) return 'unknown';
  let isForeign = false;
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    if (hasErrorCode(error, 'ESRCH')) return 'dead';
    isForeign = true;
  }
  const startTime = readStartTime(identity.pid);
  if (startTime !== null) return startTime === identity.startTime ? 'alive' : 'dead';
  // It exists but belongs to a user whose processes the system hides.
  return isForeign ? 'unknown' : 'dead';
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

/** null for a process that does not exist or is a zombie. */
function readStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets, which may contain anything; state and start time are fields 3 and 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    if (process.platform === 'linux') return null;
  }
  try {
    // Loaded only where there is no /proc.
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    }).trim();
    return line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
  } catch {
    return null;
  }
}
