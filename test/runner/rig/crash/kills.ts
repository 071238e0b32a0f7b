import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { isRunning, killIfRunning, waitForEnd } from '../../../support/processes.ts';

const hook = pathToFileURL(path.resolve(import.meta.dirname, 'kill-at-call.mjs')).href;

/** A way to end a run before its end. */
export type Kill =
  /** The runner, at its n-th call that changes the file system. */
  | { readonly kind: 'call'; readonly at: number; readonly moment: 'before' | 'after' | 'half' }
  /** After so many milliseconds: the runner, one process of a stage, or all at once. */
  | { readonly kind: 'runner' | 'stage' | 'all'; readonly afterMs: number; readonly pick: number };

/** How long an uninterrupted run takes, and how often it changes the file system. */
export interface RunLength {
  readonly calls: number;
  readonly durationMs: number;
}

const moments = ['before', 'after', 'half'] as const;

/** Half of the kills hit an exact call; the rest any moment, or a stage. */
export function drawKill(random: () => number, length: RunLength): Kill {
  const below = (limit: number): number => Math.floor(random() * limit);
  if (random() < 0.5) {
    return { kind: 'call', at: 1 + below(length.calls), moment: moments[below(3)] ?? 'before' };
  }
  const kind = (['runner', 'stage', 'stage', 'all'] as const)[below(4)] ?? 'runner';
  return { kind, afterMs: Math.round(random() * length.durationMs), pick: random() };
}

export function describeKill(kill: Kill): string {
  if (kill.kind === 'call') return `the runner ${kill.moment} its call ${kill.at}`;
  const victim = { runner: 'the runner', stage: 'a process of a stage', all: 'all processes' }[kill.kind];
  return `${victim} after ${kill.afterMs} ms`;
}

/** Starts a command, kills what is to be killed, and waits until none of its processes is left. */
export async function runAndKill(root: string, words: readonly string[], kill: Kill): Promise<void> {
  const child =
    kill.kind === 'call'
      ? start(root, words, { KILL_AT: `${kill.at}:${kill.moment}` })
      : spawn(process.execPath, words, { cwd: root, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (kill.kind !== 'call') {
    await Promise.race([wait(kill.afterMs), ended]);
    for (const pid of victimsOf(kill.kind, root, child.pid ?? 0, kill.pick)) killIfRunning(pid);
  }
  await ended;
  await waitUntilNoneIn(root);
}

/** Measures a command that is not killed. */
export async function measureRun(root: string, words: readonly string[]): Promise<RunLength> {
  const count = path.join(root, 'calls');
  const startedMs = performance.now();
  const child = start(root, words, { KILL_COUNT: count });
  await new Promise((resolve) => child.once('exit', resolve));
  const calls = Number(readFileSync(count, 'utf8'));
  rmSync(count);
  return { calls, durationMs: performance.now() - startedMs };
}

function start(root: string, words: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, ['--import', hook, ...words], {
    cwd: root,
    stdio: 'ignore',
    env: { ...process.env, ...environment },
  });
}

function victimsOf(kind: 'runner' | 'stage' | 'all', root: string, runner: number, pick: number): number[] {
  if (kind === 'runner') return [runner];
  const stages = processesIn(root).filter((pid) => pid !== runner);
  if (kind === 'all') return [runner, ...stages];
  return stages.slice(Math.floor(pick * stages.length)).slice(0, 1);
}

/** The running processes that work in a project; none where the system does not tell. */
export function processesIn(root: string): number[] {
  if (!existsSync('/proc/self/cwd')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => workingFolderOf(pid) === root && isRunning(pid));
}

function workingFolderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

async function waitUntilNoneIn(root: string): Promise<void> {
  for (const pid of processesIn(root)) await waitForEnd(pid);
}
