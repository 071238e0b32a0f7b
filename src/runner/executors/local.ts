import { statSync } from 'node:fs';
import fs from 'node:fs/promises';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import { hasErrorCode } from '../../base/errors.ts';
import {
  describeKill,
  lifelineDescriptor,
  messageDescriptor,
  readMessages,
  type StageMessage,
} from '../stage/protocol.ts';
import type { FilePermissions, StageEnd, StageLaunch } from './executor.ts';

/** The longest a timer can be set for. */
const timerAtMostMs = 2 ** 31 - 1;

/** How long to wait for the last messages once the process has ended. */
const drainMs = 2_000;

/**
 * Runs a stage on this machine, in its own process group and session: a terminal's Ctrl-C does not reach it, and whatever it has started
 * dies with it. It also dies with the runner, however that ends: see `keepWatch` in `src/runner/stage/host.ts`.
 */
export async function runLocally(launch: StageLaunch): Promise<StageEnd> {
  const log = await fs.open(launch.logFile, 'a');
  try {
    // Only now: an abort during the wait above reaches no listener.
    if (launch.stop.aborted || launch.kill.aborted) return { kind: 'interrupted' };
    return await runWithLog(launch, log.fd as Descriptor);
  } finally {
    await log.close();
  }
}

/** execa passes any descriptor on to the process, but its types only include the first ten. */
type Descriptor = 3;

async function runWithLog(launch: StageLaunch, log: Descriptor): Promise<StageEnd> {
  const flags = launch.permissions === null ? [] : permissionFlags(launch.permissions);
  const words = ['--enable-source-maps', ...flags, launch.hostFile, launch.taskFile];
  const subprocess = execa(process.execPath, words, {
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
  const end = (because: 'timeout' | 'interrupted', signal: 'SIGTERM' | 'SIGKILL'): void => {
    // Once it has reported `done`, its outputs are complete, and it is exiting anyway.
    if (said.last?.type !== 'done') endedBecause ??= because;
    endGroup(signal);
    if (signal === 'SIGTERM') timers.push(setTimeout(() => endGroup('SIGKILL'), launch.graceSeconds * 1000));
  };
  const onStop = (): void => end('interrupted', 'SIGTERM');
  const onKill = (): void => end('interrupted', 'SIGKILL');
  launch.stop.addEventListener('abort', onStop, { once: true });
  launch.kill.addEventListener('abort', onKill, { once: true });
  if (launch.timeSeconds !== null) {
    const timeMs = Math.min(launch.timeSeconds * 1000, timerAtMostMs);
    timers.push(setTimeout(() => end('timeout', 'SIGTERM'), timeMs));
  }
  try {
    const result = await subprocess;
    await Promise.race([drained, wait(drainMs, undefined, { ref: false })]);
    if (endedBecause === 'interrupted') return { kind: 'interrupted' };
    if (endedBecause === 'timeout') {
      const text = `it ran longer than its limit of ${launch.timeSeconds} s (resources.time)`;
      return { kind: 'failed', code: 'timeout', text };
    }
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
    return { kind: 'failed', code: 'killed', text: describeKill('its process', signal) };
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

/**
 * The flags with which Node.js lets a process touch only these files. Threads and addons work; other programs cannot be started.
 * What this covers, and what it does not: docs/hermetic.md.
 */
export function permissionFlags(
  { read, write }: FilePermissions,
  known: ReadonlySet<string> = process.allowedNodeEnvironmentFlags,
): string[] {
  // Before Node 22.13 it was an experiment under another name.
  const model = known.has('--permission') ? '--permission' : '--experimental-permission';
  return [
    model,
    '--allow-worker',
    '--allow-addons',
    // From Node 25 on the network is limited, too, but nothing of it could be declared.
    ...(known.has('--allow-net') ? ['--allow-net'] : []),
    // A stage's log need not say that this is experimental (Node 20), and that addons are not checked.
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
    ...listGrants(read).map((one) => `--allow-fs-read=${one}`),
    ...listGrants(write).map((one) => `--allow-fs-write=${one}`),
  ];
}

/**
 * Files as Node wants them: `/a/*` for a folder, both `/a` and `/a/*` for what does not exist yet. They are sorted and none is below
 * another, because Node 20 aborts if it has to add a path to its tree where there is one already.
 */
function listGrants(files: readonly string[]): string[] {
  const grants = new Set(files.flatMap(grantsOf));
  const folders = [...grants].filter((one) => one.endsWith('*')).map((one) => one.slice(0, -1));
  return [...grants]
    .filter((one) => !folders.some((folder) => one.startsWith(folder) && one !== `${folder}*`))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function grantsOf(file: string): string[] {
  const below = `${file.replace(/\/$/, '')}/*`;
  try {
    return statSync(file).isDirectory() ? [below] : [file];
  } catch {
    return [file, below];
  }
}
