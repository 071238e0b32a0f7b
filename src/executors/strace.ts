import path from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { ReproError } from '../errors.ts';

/** How to watch the files of a program and of all that it starts. */
export interface Tracer {
  /** The words of a command that runs another, which follows, and writes what it touches to a file. */
  readonly wrap: (traceFile: string) => readonly string[];
}

/** Calls that name files, and those that tell the working directory of a process. */
const tracedCalls = '%file,fchdir,clone,clone3,fork,vfork';

/**
 * Finds strace and checks that it may watch programs here.
 *
 * @throws {ReproError} `trace-unavailable`
 */
export async function findStrace(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<Tracer> {
  const refuse = (text: string, fix: string): ReproError =>
    new ReproError('trace-unavailable', text, { fix });
  if (platform !== 'linux') {
    const fix = 'Modules are limited to what they declare everywhere; trace commands on Linux.';
    throw refuse('--trace needs strace, which exists for Linux only', fix);
  }
  // With --seccomp-bpf a program stops only at the calls of interest, and otherwise runs at full speed.
  const words = ['-f', '--seccomp-bpf', '-y', '-qq', '-e', `trace=${tracedCalls}`];
  const probe = await execa('strace', [...words, '-o', '/dev/null', '--', process.execPath, '--version'], {
    reject: false,
    env: environment,
    extendEnv: false,
    stdin: 'ignore',
  });
  if (probe.exitCode === 0) return { wrap: (file) => ['strace', ...words, '-o', file, '--'] };
  if (probe.code === 'ENOENT') {
    const fix =
      'Install it (Debian, Ubuntu: apt-get install strace; Fedora: dnf install strace), then run again.';
    throw refuse('--trace needs strace, which is not installed', fix);
  }
  if (/(unrecognized|invalid) option/.test(probe.stderr)) {
    throw refuse('--trace needs strace 5.3 or later, and the one installed is older', 'Install a newer one.');
  }
  throw refuse(
    `strace may not watch programs here: ${probe.stderr.split('\n', 1)[0] ?? ''}`,
    'In a container, allow it: docker run --cap-add=SYS_PTRACE. Otherwise see /proc/sys/kernel/yama/ptrace_scope.',
  );
}

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
  ['look', 'stat lstat stat64 lstat64 newfstatat fstatat64 statx access faccessat faccessat2'],
  ['look', 'readlink readlinkat getxattr lgetxattr listxattr statfs'],
  ['write', 'creat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 truncate truncate64'],
  ['write', 'chmod fchmodat fchmodat2 chown lchown fchownat utime utimes futimesat utimensat'],
  ['write', 'mknod mknodat symlink symlinkat link linkat setxattr lsetxattr'],
] as const) {
  for (const call of calls.split(' ')) kinds.set(call, kind);
}

const startsProcess = /^(clone3?|v?fork)\b/;

/**
 * The files touched in a trace, in the order in which they were first touched, once for each kind. Reads the output of
 * `strace -f -y -o FILE`, in which calls of several processes interrupt each other:
 * `12 openat(AT_FDCWD</p>, "a", O_RDONLY <unfinished ...>` and later `12 <... openat resumed>) = 3</p/a>`.
 *
 * @param lines of the trace, which can be longer than memory
 * @param cwd the working directory of the first process
 */
export async function* readFileAccesses(
  lines: Iterable<string> | AsyncIterable<string>,
  cwd: string,
): AsyncGenerator<FileAccess> {
  const seen = new Set<string>();
  const begun = new Map<string, string>();
  const folders = new Map<string, string>();
  for await (const line of lines) {
    const [, pid = '', text = ''] = /^(\d+)\s+(.*)$/s.exec(line) ?? [];
    // A new process may act before its parent's call returns.
    const parent = [...begun].findLast(([, call]) => startsProcess.test(call))?.[0];
    const folder = folders.get(pid) ?? folders.get(parent ?? '') ?? cwd;
    folders.set(pid, folder);
    const beginning = /^(.*?)\s*<unfinished \.\.\.>$/s.exec(text)?.[1];
    if (beginning !== undefined) {
      begun.set(pid, beginning);
      continue;
    }
    const end = /^<\.\.\. \w+ resumed>(.*)$/s.exec(text)?.[1];
    const call = end === undefined ? text : `${begun.get(pid) ?? ''}${end}`;
    begun.delete(pid);
    // Greedy: a path may contain what looks like the end. Signals, ends of processes and cut lines do not match.
    const [, name = '', words = '', result = '', made] =
      /^(\w+)\((.*)\)\s+= (-?\d+|\?)(?:<([^>]*)>)?/s.exec(call) ?? [];
    const shown = readDescriptor(/\bAT_FDCWD<([^>]*)>/.exec(words)?.[1]);
    if (shown !== null) folders.set(pid, shown);
    if (!/^\d/.test(result)) continue;
    const paths = pathsOf(name, words, folders.get(pid) ?? folder);
    if (startsProcess.test(name) && !folders.has(result)) folders.set(result, folder);
    if (name === 'chdir' || name === 'fchdir') folders.set(pid, paths[0] ?? folder);
    for (const [index, file] of paths.entries()) {
      const kind = kindOf(name, words, index);
      if (kind === undefined || seen.has(`${kind} ${file}`)) continue;
      seen.add(`${kind} ${file}`);
      yield { kind, path: file, real: name.startsWith('open') ? readDescriptor(made) : null };
    }
  }
}

/** Strings, descriptors with what they stand for, and NULL; strace escapes what could end one earlier. */
const tokens = /"((?:[^"\\]|\\.)*)"|(?:AT_FDCWD|\d)<([^>]*)>|\bNULL\b/gs;

/** @param index of the file among those that the call names */
function kindOf(name: string, words: string, index: number): FileAccess['kind'] | undefined {
  const flags = words.replace(tokens, '');
  if (/^open(at2?)?$/.test(name)) {
    if (/\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)\b/.test(flags)) return 'write';
    if (/\bO_PATH\b/.test(flags)) return 'look';
    return /\bO_DIRECTORY\b/.test(flags) ? 'list' : 'read';
  }
  if (/^link/.test(name) && index === 0) return 'read';
  const kind = kinds.get(name);
  // Programs look at the folders on the way to a file.
  return kind === 'look' && flags.includes('_mode=S_IFDIR') ? undefined : kind;
}

/** The files that a call names: strings, relative to the descriptor before them or to the working directory. */
function pathsOf(name: string, words: string, cwd: string): string[] {
  const found: string[] = [];
  // Only a second file may follow: other strings are values.
  const most = /^(rename|link)/.test(name) ? 2 : 1;
  let folder: string | null = null;
  // The content of a new link is text, not a file.
  for (const [, text, descriptor] of [...words.matchAll(tokens)].slice(name.startsWith('symlink') ? 1 : 0)) {
    if (found.length === most) break;
    if (descriptor !== undefined) {
      folder = readDescriptor(descriptor);
      continue;
    }
    // `3</p>, ""` and `3</p>, NULL` are the open file itself.
    if (text) found.push(path.resolve(folder ?? cwd, decodeEscapes(text)));
    else if (folder !== null) found.push(folder);
    folder = null;
  }
  return folder === null || found.length === most ? found : [...found, folder];
}

/** The path of a descriptor as strace writes it; null for anything but a file (`pipe:[1]`). */
function readDescriptor(text: string | undefined): string | null {
  return text?.startsWith('/') ? decodeEscapes(text) : null;
}

const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };

/** Strace writes bytes: `\303\251` is é. Names that are not UTF-8 get replacement characters. */
function decodeEscapes(text: string): string {
  const bytes = text.replace(/\\([0-7]{1,3}|.)/gs, (_, one: string) =>
    /^[0-7]/.test(one) ? String.fromCharCode(Number.parseInt(one, 8) & 255) : (letters[one] ?? one),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
