import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FileAccess, readFileAccesses } from '../../src/executors/strace.ts';

async function read(text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const one of readFileAccesses(text.trim().split('\n'), '/p')) found.push(describeAccess(one));
  return found;
}

function describeAccess({ kind, path, real }: FileAccess): string {
  return `${kind} ${path}${real === null || real === path ? '' : ` -> ${real}`}`;
}

describe('the files in a trace', () => {
  test('are those that were opened, listed, looked at, run or changed, wherever their names start', async () => {
    expect(
      await read(`
1 execve("/usr/bin/sh", ["sh", "-c", "a, b \\"c"], 0x7ffd /* 3 vars */) = 0
1 openat(AT_FDCWD</p>, "a", O_RDONLY|O_CLOEXEC) = 3</p/a>
1 openat(AT_FDCWD</p>, "link", O_RDONLY) = 3</data/a>
1 openat(3</p/in>, "../b", O_RDONLY)      = 4</p/b>
1 open("c", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 4</p/c>
1 openat(AT_FDCWD</p>, "/d", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 3</d>
1 openat2(AT_FDCWD</p>, "e", {flags=O_RDWR, resolve=0}, 24) = 5</p/e>
1 openat(AT_FDCWD</p>, "f", O_RDONLY|O_PATH) = 5</p/f>
1 newfstatat(AT_FDCWD</p>, "g", {st_mode=S_IFREG|0644, st_size=9, ...}, 0) = 0
1 newfstatat(5</p/h>, "", {st_mode=S_IFREG|0644, st_size=9, ...}, AT_EMPTY_PATH) = 0
1 statx(AT_FDCWD</p>, "folder", AT_STATX_SYNC_AS_STAT, STATX_MODE, {stx_mask=STATX_TYPE, stx_mode=S_IFDIR|0755, ...}) = 0
1 readlink("/proc/self/exe", "/usr/bin/sh", 4096) = 11
1 getxattr("i", "user.x", NULL, 0) = 4
1 utimensat(5</p/j>, NULL, NULL, 0) = 0
1 renameat2(AT_FDCWD</p>, "k", 7</q>, "l", RENAME_NOREPLACE) = 0
1 symlinkat("../target", AT_FDCWD</p>, "m") = 0
1 linkat(AT_FDCWD</p>, "n", AT_FDCWD</p>, "o", 0) = 0
1 unlinkat(AT_FDCWD</p>, "q", 0) = 0
1 mkdir("r", 0777)                 = 0
`),
    ).toEqual([
      'run /usr/bin/sh',
      'read /p/a',
      'read /p/link -> /data/a',
      'read /p/b',
      'write /p/c',
      'list /d',
      'write /p/e',
      'look /p/f',
      'look /p/g',
      'look /p/h',
      'look /proc/self/exe',
      'look /p/i',
      'write /p/j',
      'write /p/k',
      'write /q/l',
      'write /p/m',
      'read /p/n',
      'write /p/o',
      'write /p/q',
      'write /p/r',
    ]);
  });

  test('leave out what failed, what is no file, signals, ends, and lines that were cut off', async () => {
    expect(
      await read(`
1 openat(AT_FDCWD</p>, "a", O_RDONLY) = -1 ENOENT (No such file or directory)
1 openat(AT_FDCWD</p>, "b", O_RDONLY) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
1 newfstatat(0<pipe:[12]>, "", {st_mode=S_IFIFO|0600, ...}, AT_EMPTY_PATH) = 0
1 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=5} ---
1 +++ exited with 0 +++
1 exit_group(0)                     = ?
strace: Process 7 attached
1 openat(AT_FDCWD</p>, "c", O_RDO
`),
    ).toEqual([]);
  });

  test('include calls that others interrupted', async () => {
    expect(
      await read(`
1 openat(AT_FDCWD</p>, "a, <unfinished b", O_RDONLY <unfinished ...>
2 openat(AT_FDCWD</p>, "c",  <unfinished ...>
1 <... openat resumed>)             = 3</p/a, \\74unfinished b>
2 <... openat resumed>O_WRONLY|O_CREAT, 0666) = 3</p/c>
3 openat(AT_FDCWD</p>, "never", O_RDONLY <unfinished ...>
`),
    ).toEqual(['read /p/a, <unfinished b', 'write /p/c']);
  });

  test('are named relative to the working directory of their process, which it inherits', async () => {
    expect(
      await read(`
1 access("a", R_OK)                 = 0
1 chdir("sub")                      = 0
1 clone3({flags=CLONE_VM, exit_signal=SIGCHLD}, 88) = 2
1 chdir("/elsewhere")               = 0
2 mkdir("b", 0777)                  = 0
2 fchdir(4</far>)                   = 0
2 rename("c", "d")                  = 0
1 vfork( <unfinished ...>
3 mkdir("e", 0777)                  = 0
1 <... vfork resumed>)              = 3
3 chdir("none") = -1 ENOENT (No such file or directory)
3 rmdir("f")                        = 0
`),
    ).toEqual([
      'look /p/a',
      'write /p/sub/b',
      'write /far/c',
      'write /far/d',
      'write /elsewhere/e',
      'write /elsewhere/f',
    ]);
  });

  test('may have any name', async () => {
    expect(
      await read(`
1 openat(AT_FDCWD</p/\\303\\251>, "a\\"b\\\\c,\\n\\t) = 3<", O_RDONLY) = 3</p/\\303\\251/a\\"b\\\\c,\\n\\t) = 3\\74>
1 openat(3</p/x\\76, \\"y>, "\\360\\237\\231\\202", O_RDONLY) = 3</p/x\\76, \\"y/\\360\\237\\231\\202>
1 unlink("\\377\\1z")                 = 0
`),
    ).toEqual(['read /p/é/a"b\\c,\n\t) = 3<', 'read /p/x>, "y/🙂', 'write /p/é/\uFFFD\u0001z']);
  });

  test('are read from anything without an error', async () => {
    const pieces = [
      '1 ',
      'openat(',
      '"a"',
      '<',
      '>',
      ') = 3',
      '<... x resumed>',
      '<unfinished ...>',
      '\\',
      '{',
      ',',
      'AT_FDCWD</p>',
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), async (words) => {
        await read(words.join(''));
      }),
      { seed: 1 },
    );
  });
});
