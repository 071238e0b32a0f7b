import path from 'node:path';
import { type Lines, readDescriptor, readString, readSystemCalls, type SystemCall } from './system-calls.ts';

/** A file that a process has touched, successfully. */
export interface FileAccess {
  /** `list`: the names in a folder. `look`: only existence, size and dates. */
  readonly kind: 'read' | 'list' | 'look' | 'run' | 'write';
  /** Absolute, without `.` and `..`, as it was named. */
  readonly path: string;
  /** The path with all links followed; known for opened files only. */
  readonly real: string | null;
}

/** What each traced call does to the files that it names. */
const kinds = new Map<string, FileAccess['kind']>();
for (const [kind, calls] of [
  ['run', 'execve execveat'],
  [
    'look',
    'stat lstat stat64 lstat64 newfstatat fstatat64 statx access faccessat faccessat2 readlink readlinkat',
  ],
  ['look', 'getxattr lgetxattr listxattr statfs'],
  ['write', 'creat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 truncate truncate64'],
  ['write', 'chmod fchmodat fchmodat2 chown lchown fchownat utime utimes futimesat utimensat'],
  ['write', 'mknod mknodat symlink symlinkat setxattr lsetxattr'],
] as const) {
  for (const call of calls.split(' ')) kinds.set(call, kind);
}

/** Flags for strace that report what this reads. */
export const tracedCalls = '%file,fchdir,clone,clone3,fork,vfork';

/**
 * The files touched in a trace, in the order in which they were first touched, once for each kind.
 *
 * @param cwd the working directory of the first process
 */
export async function* readFileAccesses(lines: Lines, cwd: string): AsyncGenerator<FileAccess> {
  const seen = new Set<string>();
  const folders = new WorkingFolders(cwd);
  for await (const call of readSystemCalls(lines)) {
    const folder = folders.follow(call);
    if (call.result === null || call.result < 0) continue;
    for (const access of accessesOf(call, folder)) {
      const key = `${access.kind} ${access.path}`;
      if (!seen.has(key)) yield access;
      seen.add(key);
    }
  }
}

function* accessesOf(call: SystemCall, cwd: string): Generator<FileAccess> {
  const paths = pathsOf(call, cwd);
  const [first] = paths;
  if (first === undefined) return;
  switch (call.name) {
    case 'open':
    case 'openat':
    case 'openat2':
      yield { kind: kindOfOpen(call.arguments), path: first, real: realPathOf(call) };
      return;
    case 'link':
    case 'linkat':
      yield { kind: 'read', path: first, real: null };
      for (const target of paths.slice(1)) yield { kind: 'write', path: target, real: null };
      return;
  }
  const kind = kinds.get(call.name);
  if (kind === undefined) return;
  // Programs look at the folders on the way to a file.
  if (kind === 'look' && call.arguments.some((one) => one.includes('_mode=S_IFDIR'))) return;
  for (const file of paths) yield { kind, path: file, real: null };
}

function kindOfOpen(words: readonly string[]): FileAccess['kind'] {
  const flags = words.find((one) => /\bO_/.test(one) && !one.startsWith('"')) ?? '';
  if (/\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b/.test(flags)) return 'write';
  if (/\bO_PATH\b/.test(flags)) return 'look';
  return /\bO_DIRECTORY\b/.test(flags) ? 'list' : 'read';
}

function realPathOf({ resultPath }: SystemCall): string | null {
  return resultPath === null ? null : readDescriptor(`0<${resultPath}>`);
}

/** The files that a call names: strings, relative to the descriptor before them or to the working directory. */
function pathsOf({ name, arguments: words }: SystemCall, cwd: string): string[] {
  const found: string[] = [];
  // The content of a new link is text, not a file.
  const first = name === 'symlink' || name === 'symlinkat' ? 1 : 0;
  for (let i = first; i < words.length; i += 1) {
    const text = readString(words[i]);
    const folder = readDescriptor(words[i]);
    // An empty string stands for the descriptor before it.
    if (text !== null && text !== '') found.push(path.resolve(cwd, text));
    else if (folder !== null) {
      // `3</p>, ""` and `3</p>, NULL` are the open file itself.
      const below = readString(words[i + 1]);
      if (below !== null || words[i + 1] === 'NULL') i += 1;
      found.push(path.resolve(folder, below ?? ''));
    }
    // Only a second file may follow: other strings are values.
    if (found.length === (/^(rename|link)/.test(name) ? 2 : 1)) break;
  }
  return found;
}

/** The working directory of each process. */
class WorkingFolders {
  readonly #first: string;
  readonly #known = new Map<number, string>();
  /** Processes that are in the middle of starting another, the latest last. */
  readonly #starting = new Set<number>();

  constructor(first: string) {
    this.#first = first;
  }

  /** The working directory in which a call was made. */
  follow(call: SystemCall): string {
    const { pid, name, arguments: words, result } = call;
    const shown = words.find((one) => one.startsWith('AT_FDCWD<'));
    const folder = readDescriptor(shown) ?? this.#known.get(pid) ?? this.#inherited();
    this.#known.set(pid, folder);
    const [first] = words;
    const hasWorked = result !== null && result >= 0;
    if (name === 'chdir' && hasWorked) this.#known.set(pid, path.resolve(folder, readString(first) ?? '.'));
    if (name === 'fchdir' && hasWorked) this.#known.set(pid, readDescriptor(first) ?? folder);
    if (/^(clone3?|v?fork)$/.test(name)) {
      if (call.isUnfinished) this.#starting.add(pid);
      else this.#starting.delete(pid);
      if (result !== null && result > 0 && !this.#known.has(result)) this.#known.set(result, folder);
    }
    return folder;
  }

  /** A new process may act before its parent's call returns. */
  #inherited(): string {
    const parent = [...this.#starting].at(-1);
    return (parent === undefined ? undefined : this.#known.get(parent)) ?? this.#first;
  }
}
