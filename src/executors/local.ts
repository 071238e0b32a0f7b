import fs from 'node:fs/promises';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import { hasErrorCode } from '../errors.ts';
import { readMessages } from '../stage/message-reader.ts';
import { lifelineDescriptor, messageDescriptor, type StageMessage } from '../stage/protocol.ts';
import type { StageEnd, StageLaunch } from './executor.ts';
import { permissionFlags } from './node-permissions.ts';

/** The longest a timer can be set for. */
const timerAtMostMs = 2 ** 31 - 1;

/** For messages still in flight when the process has ended; they are already in memory. */
const drainMs = 2_000;

/**
 * Runs a stage on this machine, in its own process group (and session): a terminal's Ctrl-C does not reach it, and
 * whatever it has started dies with it. It also dies with us, however we end: see `src/stage/lifeline.ts`.
 */
export async function runLocally(launch: StageLaunch): Promise<StageEnd> {
  if (launch.stop.aborted || launch.kill.aborted) return { kind: 'interrupted' };
  const log = await fs.open(launch.logFile, 'a');
  try {
    return await runWithLog(launch, log.fd as Descriptor);
  } finally {
    await log.close();
  }
}

/** execa passes any descriptor on to the process, but its types only include the first ten. */
type Descriptor = 3;

async function runWithLog(launch: StageLaunch, log: Descriptor): Promise<StageEnd> {
  const flags = launch.permissions === null ? [] : permissionFlags(launch.permissions);
  const [program = '', ...words] = [
    ...(launch.wrapper ?? []),
    ...[process.execPath, '--enable-source-maps', ...flags, launch.hostFile, launch.taskFile],
  ];
  const subprocess = execa(program, words, {
    cwd: launch.cwd,
    env: launch.environment,
    extendEnv: false,
    detached: true,
    cleanup: false,
    buffer: false,
    reject: false,
    stdio: ['ignore', log, log, 'pipe', 'pipe'],
  });
  const { pid } = subprocess;
  const endGroup = (signal: 'SIGTERM' | 'SIGKILL'): void => {
    if (pid !== undefined) signalGroup(pid, signal);
  };
  // Anything the stage has started and not waited for.
  subprocess.once('exit', () => endGroup('SIGKILL'));

  const said: { last: StageMessage | null } = { last: null };
  const channel = subprocess.stdio[messageDescriptor] as Readable;
  const drained = readMessages(channel, (message) => {
    if (message.type === 'done' || message.type === 'failed') said.last = message;
    else launch.onMessage(message);
  });
  (subprocess.stdio[lifelineDescriptor] as Readable).on('error', () => {});

  const timers: NodeJS.Timeout[] = [];
  let endedBecause: 'timeout' | 'interrupted' | null = null;
  const end = (because: 'timeout' | 'interrupted'): void => {
    // Once it has reported `done`, its outputs are complete, and it is exiting anyway.
    if (said.last?.type !== 'done') endedBecause ??= because;
    endGroup('SIGTERM');
    timers.push(setTimeout(() => endGroup('SIGKILL'), launch.graceSeconds * 1000));
  };
  const onStop = (): void => end('interrupted');
  const onKill = (): void => {
    if (said.last?.type !== 'done') endedBecause ??= 'interrupted';
    endGroup('SIGKILL');
  };
  launch.stop.addEventListener('abort', onStop, { once: true });
  launch.kill.addEventListener('abort', onKill, { once: true });
  if (launch.timeSeconds !== null) {
    timers.push(setTimeout(() => end('timeout'), Math.min(launch.timeSeconds * 1000, timerAtMostMs)));
  }
  try {
    const result = await subprocess;
    await Promise.race([drained, wait(drainMs, undefined, { ref: false })]);
    if (endedBecause === 'interrupted') return { kind: 'interrupted' };
    if (endedBecause === 'timeout') return describeTimeout(launch.timeSeconds ?? 0);
    return describeEnd(said.last, result.exitCode, result.signal, result.originalMessage);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    launch.stop.removeEventListener('abort', onStop);
    launch.kill.removeEventListener('abort', onKill);
  }
}

function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: nothing is left. EPERM (macOS): only zombies are left.
    if (!hasErrorCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}

function describeTimeout(timeSeconds: number): StageEnd {
  return {
    kind: 'failed',
    code: 'timeout',
    text: `it ran longer than its limit of ${timeSeconds} s (resources.time)`,
  };
}

function describeEnd(
  last: StageMessage | null,
  exitCode: number | undefined,
  signal: string | undefined,
  startError: string | undefined,
): StageEnd {
  // Whatever kills it after its last message no longer matters.
  if (last?.type === 'done' && (exitCode === 0 || signal !== undefined)) {
    return { kind: 'done', peakMemoryBytes: last.peakMemoryBytes };
  }
  if (signal !== undefined) {
    const hint =
      signal === 'SIGKILL' ? '; unless someone did that by hand, the machine ran out of memory' : '';
    return { kind: 'failed', code: 'killed', text: `its process was killed by ${signal}${hint}` };
  }
  if (last?.type === 'failed') return { kind: 'failed', code: last.code, text: last.text };
  if (exitCode === undefined) {
    return { kind: 'failed', code: 'not-started', text: startError ?? 'its process could not be started' };
  }
  return {
    kind: 'failed',
    code: 'exit',
    text: `its process exited with code ${exitCode} before the stage was done`,
  };
}
