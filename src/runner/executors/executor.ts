import path from 'node:path';
import process from 'node:process';
import { isAtOrBelow } from '../../base/files/folders.ts';
import type { StageMessage } from '../stage/protocol.ts';

/** Files that a process may touch; absolute. A folder stands for everything below it. */
export interface FilePermissions {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** One stage to run, and how. All paths are absolute. */
export interface StageLaunch {
  /** The compiled `stage/host`. */
  readonly hostFile: string;
  /** JSON of a `StageTask`. */
  readonly taskFile: string;
  readonly cwd: string;
  /** The whole environment: nothing is added to it. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it may touch; null: anything. */
  readonly permissions: FilePermissions | null;
  /** Appended to; its folder exists. */
  readonly logFile: string;
  /** null: no limit. */
  readonly timeSeconds: number | null;
  /** Between asking the stage to stop and killing it. */
  readonly graceSeconds: number;
  /** Asks the stage to stop. */
  readonly stop: AbortSignal;
  /** Kills the stage at once. */
  readonly kill: AbortSignal;
  readonly onMessage: (message: StageMessage) => void;
  /** Called by executors on other machines once the stage's process runs there. */
  readonly onStart?: () => void;
}

/** What a result that another machine made says of that machine. */
export interface MachineOrigin {
  readonly facts: Readonly<Record<string, string>>;
  readonly runtime: { readonly platform: string; readonly arch: string };
  readonly host: string;
  /** The version of Node.js. */
  readonly node: string;
  /** Of the last process, ISO 8601. */
  readonly startedAt: string;
  readonly seconds: number;
  /** Of earlier processes, up to their last saved state. */
  readonly earlierSeconds: number;
}

/** How a stage ended. Only `done` means that its outputs are complete. */
export type StageEnd =
  | { readonly kind: 'done'; readonly peakMemoryBytes: number | null; readonly origin?: MachineOrigin }
  /** `isLeft`: only this run no longer waits for it; the stage continues elsewhere. */
  | { readonly kind: 'interrupted'; readonly isLeft?: true }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string };

export type Executor = (launch: StageLaunch) => Promise<StageEnd>;

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
