import path from 'node:path';
import process from 'node:process';
import { isAtOrBelow } from '../files/path-below.ts';

/**
 * Folders and files of the operating system, which every program reads and no pipeline declares: libraries, settings, facts about the
 * machine. Of /proc only what describes the machine and the process: other entries lead to any file (`/proc/self/root`, `/proc/self/fd`).
 */
const systemFiles: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: [
    ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/etc', '/sys', '/nix/store', '/var/lib/dpkg'],
    ...['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libexec', 'share', 'include'].map((one) => `/usr/${one}`),
    ...['bin', 'lib', 'lib64', 'share', 'cuda'].map((one) => `/usr/local/${one}`),
    '/run/nvidia-persistenced',
    ...['cpuinfo', 'meminfo', 'stat', 'version', 'loadavg', 'uptime'].map((one) => `/proc/${one}`),
    ...['filesystems', 'mounts', 'driver', 'sys'].map((one) => `/proc/${one}`),
    ...['exe', 'stat', 'statm', 'status', 'maps', 'limits', 'cgroup', 'mountinfo', 'mounts'].map(
      (name) => `/proc/self/${name}`,
    ),
  ],
  darwin: [
    '/System',
    '/Library',
    '/opt/homebrew/lib',
    ...['bin', 'lib', 'share', 'local/lib'].map((one) => `/usr/${one}`),
  ],
};

/**
 * What the operating system and Node.js provide, except for folders that hold the project itself (an absolute path). Node's own are those that
 * every program reads where it is installed in /usr: packages look beside its program, and `require` in its `lib/node`.
 */
export function listSystemFiles(projectRoot: string): readonly string[] {
  const installedIn = path.dirname(path.dirname(process.execPath));
  const ofNode = ['bin', 'lib'].map((one) => path.join(installedIn, one));
  return [...(systemFiles[process.platform] ?? []), ...ofNode].filter(
    (one) => !isAtOrBelow(projectRoot, one),
  );
}

/** What every stage may write to. */
export const systemSinks: readonly string[] = ['/dev/null'];
