import process from 'node:process';
import { isAtOrBelow } from '../files/path-below.ts';

/**
 * Folders and files of the operating system, which every program reads and no pipeline declares: libraries, settings, facts about the
 * machine. Of /proc only what describes the machine and the process: other entries lead to any file (`/proc/self/root`, `/proc/self/fd`).
 */
const systemFiles: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: [
    '/bin',
    '/sbin',
    '/lib',
    '/lib32',
    '/lib64',
    '/usr/bin',
    '/usr/sbin',
    '/usr/lib',
    '/usr/lib32',
    '/usr/lib64',
    '/usr/libexec',
    '/usr/share',
    '/usr/include',
    '/usr/local/bin',
    '/usr/local/lib',
    '/usr/local/lib64',
    '/usr/local/share',
    '/usr/local/cuda',
    '/etc',
    '/nix/store',
    '/run/nvidia-persistenced',
    '/var/lib/dpkg',
    '/sys',
    '/proc/cpuinfo',
    '/proc/meminfo',
    '/proc/stat',
    '/proc/version',
    '/proc/loadavg',
    '/proc/uptime',
    '/proc/filesystems',
    '/proc/mounts',
    '/proc/driver',
    '/proc/sys',
    ...['exe', 'stat', 'statm', 'status', 'maps', 'limits', 'cgroup', 'mountinfo', 'mounts'].map(
      (name) => `/proc/self/${name}`,
    ),
  ],
  darwin: [
    '/System',
    '/Library',
    '/usr/bin',
    '/usr/lib',
    '/usr/share',
    '/usr/local/lib',
    '/opt/homebrew/lib',
  ],
};

/**
 * What the operating system provides, except for folders that hold the project itself.
 *
 * @param projectRoot absolute
 */
export function listSystemFiles(
  projectRoot: string,
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
): readonly string[] {
  const root = environment.SystemRoot ?? environment.SYSTEMROOT;
  const found = platform === 'win32' ? (root === undefined ? [] : [root]) : (systemFiles[platform] ?? []);
  return found.filter((one) => !isAtOrBelow(projectRoot, one));
}

/** What every stage may write to. */
export const systemSinks: readonly string[] = process.platform === 'win32' ? [] : ['/dev/null'];
