import path from 'node:path';
import process from 'node:process';
import type { RefusedError } from './refusal.ts';

/** What a probe is judged by; tests put other machines in its place. */
export interface ProbedMachine {
  /** Absolute. */
  readonly projectRoot: string;
  /** Where that really is, if the way there leads through a link; default: there. */
  readonly realRoot?: string;
  readonly platform?: NodeJS.Platform;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Folders of the operating system. Programs that know only Unix ask for these everywhere, Windows included. */
const unixFolders = /^\/(?:proc|sys|dev|etc|usr|bin|sbin|lib\w*)\//;

/** From here on, a path of `/proc` leads to wherever a process works. */
const processPlaces = /^\/proc\/(?:[^/]+\/){1,3}(?:cwd|root)(?:\/|$)/;

/** macOS has `/etc` and the like in `/private`, and what Homebrew installs in `/opt`. */
const macFolders = /^\/(?:System|Library|private\/(?:etc|var\/db)|opt\/homebrew)\//;

/** Their places can be moved, so the environment names them; the second is where they are otherwise. */
const windowsFolders = [
  ['SYSTEMROOT', 'C:\\Windows'],
  ['PROGRAMFILES', 'C:\\Program Files'],
  ['PROGRAMFILES(X86)', 'C:\\Program Files (x86)'],
  ['PROGRAMDATA', 'C:\\ProgramData'],
] as const;

/**
 * Whether a refusal only tells that a package looks around on the machine: the call came from a package, not from the stage's code, and asked
 * for a file of the operating system or for a program. Nothing in the project is part of the system, wherever the project is; a
 * link elsewhere that leads into it is not seen.
 */
export function isProbe(
  { permission, resource = '', stack = '' }: Pick<RefusedError, 'permission' | 'resource' | 'stack'>,
  machine: ProbedMachine,
): boolean {
  if (permission !== 'ChildProcess' && !isOfSystem(resource, machine)) return false;
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const caller = frames.find((line) => !/node:|[\\/](?:refusal-watch|probe)\./.test(line));
  return caller !== undefined && /[\\/]node_modules[\\/]/.test(caller);
}

/** @param resource as it was passed to a function of Node */
function isOfSystem(resource: string, machine: ProbedMachine): boolean {
  const {
    projectRoot,
    realRoot = projectRoot,
    platform = process.platform,
    environment = process.env,
  } = machine;
  const roots = [projectRoot, realRoot];
  if (platform !== 'win32') {
    const file = path.posix.normalize(resource);
    if (processPlaces.test(file) || roots.some((root) => isIn(file, root, path.posix))) return false;
    return unixFolders.test(file) || (platform === 'darwin' && macFolders.test(file));
  }
  // A prefix for long paths. Names differ in their letters' case and mean the same.
  const asked = path.win32.normalize(resource.replace(/^\\\\\?\\/, '')).toLowerCase();
  // Without a drive, it is that of the folder in which stages work.
  const file = path.win32.resolve(projectRoot.toLowerCase(), asked);
  if (roots.some((root) => isIn(file, root.toLowerCase(), path.win32))) return false;
  if (unixFolders.test(asked.replaceAll('\\', '/'))) return true;
  const values = new Map(Object.entries(environment).map(([name, value]) => [name.toUpperCase(), value]));
  return windowsFolders.some(([name, usual]) =>
    isIn(file, (values.get(name) ?? usual).toLowerCase(), path.win32),
  );
}

/** Whether an absolute path is inside a folder. */
function isIn(file: string, folder: string, { sep, normalize }: path.PlatformPath): boolean {
  const inside = normalize(folder);
  return file.startsWith(inside.endsWith(sep) ? inside : `${inside}${sep}`);
}
