import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { vi } from 'vitest';
import { hasErrorCode } from '../../src/base/errors.ts';

/** Whether a process is still running; a zombie is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const stat = `/proc/${pid}/stat`;
  if (!existsSync('/proc/self/stat')) return true;
  try {
    const text = readFileSync(stat, 'utf8');
    return !['Z', 'X'].includes(text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3));
  } catch {
    return false;
  }
}

/** Of tests that wait for another process. */
export const patience = { timeout: 20_000, interval: 10 };

export async function waitForEnd(pid: number): Promise<void> {
  await vi.waitFor(() => {
    if (isRunning(pid)) throw new Error(`process ${pid} still runs`);
  }, patience);
}

export async function waitForFile(file: string): Promise<void> {
  await vi.waitFor(() => {
    if (!existsSync(file)) throw new Error(`${file} is not there`);
  }, patience);
}

/** Kills a process, which may have ended by itself. */
export function killIfRunning(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrorCode(error, 'ESRCH')) throw error;
  }
}
