import { readFileSync, writeSync } from 'node:fs';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describeError, ReproError } from '../../base/errors.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import type { Stage } from './define-stage.ts';
import {
  type Declaration,
  lifelineDescriptor,
  MessageChannel,
  StageLog,
  type StageTask,
} from './protocol.ts';
import { explainRefusals, findRefusal, type RefusedError, watchRefusals } from './refusals.ts';
import { type Reports, runCommand } from './run-command.ts';

// The process that runs one stage: `node host.js TASK.json`, started by an executor with the descriptors defined in protocol.ts.

const channel = new MessageChannel();
const log = new StageLog((line) => writeToLog(line));
const stop = new AbortController();
const reports: Reports = {
  progress: (progress) => {
    log.progress(progress);
    channel.progress(progress);
  },
  metrics: (values) => {
    for (const [name, value] of Object.entries(values)) {
      if (typeof value !== 'number' || Number.isFinite(value)) continue;
      say('warning', `the metric "${name}" is ${value}, which is recorded as null`);
    }
    channel.send({ type: 'metrics', values });
  },
  note: (text) => say('note', text),
  warn: (text) => say('warning', text),
};
let hasEnded = false;
/** Long enough for a stage to try all the files that it reads at its start, so that the message names them all. */
const refusedEndsAfterMs = 1_000;
/** What the stage was refused; null for one without limits. */
let limits: { readonly declaration: Declaration; readonly refusals: readonly RefusedError[] } | null = null;

/**
 * Runs in its own thread, so that it acts even during a long computation. It is plain JavaScript in a string, so that it needs no file
 * beside the compiled program. Signal 9 to process 0 kills the whole process group: this process and every program that the stage started.
 */
const watchSource = `
const { Socket } = require('node:net');
const { workerData } = require('node:worker_threads');
const end = () => process.kill(0, 'SIGKILL');
const socket = new Socket({ fd: workerData, readable: true, writable: false });
socket.on('end', end).on('close', end).on('error', end).resume();
`;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // A command gets the signal directly, as a member of this group; a module gets it as `context.signal`.
  process.on(signal, () => stop.abort(new ReproError('interrupted', `interrupted by ${signal}`)));
}
process.on('uncaughtException', fail);
process.on('beforeExit', () => {
  if (hasEnded) return;
  const text = 'the stage stopped without finishing: it waits for a promise that never settles';
  fail(new ReproError('never-settled', text, { fix: 'Look for a promise in the stage that never settles.' }));
});

const task = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as StageTask;
process.title = `repro ${task.id}`;
if (task.declaration !== undefined) {
  // Otherwise a stage that continues without the file might compute for hours, only to be rejected.
  const endSoon = () => setTimeout(() => fail(limits?.refusals[0]), refusedEndsAfterMs).unref();
  limits = { declaration: task.declaration, refusals: watchRefusals(task.declaration, endSoon) };
}
try {
  await keepWatch();
  if (task.kind === 'command') await runCommand(task, reports);
  else await runModule(task);
  if (limits?.refusals[0] !== undefined) throw limits.refusals[0];
  hasEnded = true;
  log.end();
  // A command's usage is unknown.
  const peakMemoryBytes = task.kind === 'module' ? process.resourceUsage().maxRSS * 1024 : null;
  channel.send({ type: 'done', peakMemoryBytes });
  // Anything the stage left open (a server, a timer) must not keep the process alive.
  process.exit(0);
} catch (error) {
  fail(error);
}

async function runModule(task: StageTask): Promise<void> {
  const { default: stage } = (await import(pathToFileURL(task.module ?? '').href)) as { default?: unknown };
  if (!isStage(stage)) {
    throw new ReproError('not-a-stage', "the module's default export is not a stage", {
      fix: 'export default defineStage<Params>({ summary, run })',
    });
  }
  const { params, matrix, facts, outputs, resume, cpus, module = '' } = task;
  const inputs = task.namedInputs ?? task.inputs;
  const given = { params, matrix, facts, inputs, outputs, resume, cpus, module };
  await stage.run({ ...given, signal: stop.signal, ...reports });
}

function say(level: 'note' | 'warning', text: string): void {
  log.say(level, text);
  channel.send({ type: 'note', level, text });
}

/** Writes to the file directly, so that lines stay in order with what the stage itself prints. */
function writeToLog(line: string): void {
  try {
    writeSync(process.stdout.fd, `${line}\n`);
  } catch {
    // A full disk is reported elsewhere; a missing log line must not fail a stage.
  }
}

function isStage(value: unknown): value is Stage {
  return typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function';
}

/** Whether the cause says more than the error, which may have taken over its message. */
function isNews({ cause, message }: ReproError): boolean {
  return cause !== undefined && !(cause instanceof Error && message.includes(cause.message));
}

/** The message is enough for errors that are written for people, and for system errors, whose stack shows only our own I/O. */
function describeCause(cause: unknown): string {
  if (isReproError(cause)) return cause.message;
  return cause instanceof Error && 'syscall' in cause ? cause.message : inspect(cause);
}

/** The whole error goes to the log, its meaning to the runner. */
function fail(thrown: unknown): never {
  hasEnded = true;
  const error = explainDiskError(explainRefused(recogniseError(thrown)), { keepsWork: true });
  const isForPeople = error instanceof ReproError;
  log.end();
  writeToLog(isForPeople ? describeError(error) : inspect(error));
  if (isForPeople && isNews(error)) writeToLog(`caused by ${describeCause(error.cause)}`);
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'stage-error';
  channel.send({ type: 'failed', code, text: describeError(error) });
  process.exit(1);
}

/** A refusal explains more than the error that followed from it. */
function explainRefused(error: unknown): unknown {
  if (limits === null) return error;
  const refusal = findRefusal(error);
  const all = [...limits.refusals, ...(refusal === undefined ? [] : [refusal])];
  return all.length === 0 ? error : explainRefusals(all, limits.declaration, error);
}

/** Recognises errors of the stage's bundle, too, which has its own copy of the class. */
function isReproError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReproError';
}

function recogniseError(error: unknown): unknown {
  if (!isReproError(error) || error instanceof ReproError) return error;
  const { code, where, fix } = error as Partial<ReproError>;
  return new ReproError(String(code), error.message, { where, fix, cause: error.cause });
}

/**
 * Kills this process and everything it has started as soon as the runner is gone, for whatever reason.
 *
 * @returns once the watch is running
 */
function keepWatch(): Promise<void> {
  const thread = new Worker(watchSource, { eval: true, workerData: lifelineDescriptor });
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('online', () => {
      // The watch must not keep a finished stage alive.
      thread.unref();
      resolve();
    });
  });
}
