import process from 'node:process';
import { execa } from 'execa';
import { ReproError } from '../../errors.ts';
import { tracedCalls } from './file-accesses.ts';

/** How to watch the files of a program and of all that it starts. */
export interface Tracer {
  /** The words of a command that runs another, which follows, and writes what it touches to a file. */
  readonly wrap: (traceFile: string) => readonly string[];
}

const installation =
  'Install it (Debian, Ubuntu: apt-get install strace; Fedora: dnf install strace), then run again.';

/**
 * Finds strace and checks that it may watch programs here.
 *
 * @throws {ReproError} `trace-unavailable`
 */
export async function findStrace(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): Promise<Tracer> {
  if (platform !== 'linux') {
    throw new ReproError('trace-unavailable', '--trace needs strace, which exists for Linux only', {
      fix: 'Modules are limited to what they declare everywhere; trace commands on Linux.',
    });
  }
  // The first stops a program only at the calls of interest, so that everything else runs at full speed; older kernels cannot.
  for (const flags of [['--seccomp-bpf'], []]) {
    const words = ['-f', ...flags, '-y', '-qq', '-e', `trace=${tracedCalls}`];
    const probe = await execa('strace', [...words, '-o', '/dev/null', '--', process.execPath, '--version'], {
      reject: false,
      env: environment,
      extendEnv: false,
      stdin: 'ignore',
    });
    if (probe.exitCode === 0) return { wrap: (file) => ['strace', ...words, '-o', file, '--'] };
    if (probe.exitCode === undefined && probe.code === 'ENOENT') {
      throw new ReproError('trace-unavailable', '--trace needs strace, which is not installed', {
        fix: installation,
        cause: probe,
      });
    }
    if (flags.length === 0) {
      const said = probe.stderr.split('\n', 1)[0] ?? '';
      throw new ReproError('trace-unavailable', `strace may not watch programs here: ${said}`, {
        fix: 'In a container, allow it: docker run --cap-add=SYS_PTRACE. Otherwise see /proc/sys/kernel/yama/ptrace_scope.',
      });
    }
  }
  throw new Error('unreachable');
}
