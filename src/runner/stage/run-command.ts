import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import process from 'node:process';
import { PassThrough } from 'node:stream';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { shortenText } from '../../base/text.ts';
import type { StageContext } from './define-stage.ts';
import { describeKill, readMessages, type StageMessage, type StageTask } from './protocol.ts';

export type Reports = Pick<StageContext, 'progress' | 'metrics' | 'note' | 'warn'>;

/** Often enough for a person who watches. */
const lookEveryMs = 200;

/**
 * Runs a `cmd:` stage as a child in this process group, so that killing the group kills it too. Its paths are in the
 * environment: `REPRO_INPUT_0`, `REPRO_OUTPUT_0`, `REPRO_RESUME_0` and so on, in the order of the pipeline file. What it appends to the
 * file `REPRO_EVENTS` is reported.
 *
 * @throws {ReproError} `command-not-found`, `command-failed`, `killed`
 */
export async function runCommand(task: StageTask, reports: Reports): Promise<void> {
  const [program = '', ...args] = task.argv ?? [];
  // Opened before the command starts, which drops what an earlier attempt has written.
  const events = followEvents(process.env.REPRO_EVENTS, reports);
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...describePaths(task) },
  });
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', (error) => reject(explainStart(program, error)));
    child.once('exit', (code, name) => resolve([code, name]));
  });
  await events.end();
  if (signal !== null) throw new ReproError('killed', describeKill(`"${program}"`, signal));
  if (exitCode !== 0) throw new ReproError('command-failed', `"${program}" exited with code ${exitCode}`);
}

/** Reports what is appended to a file, one JSON object a line, in the form in which a module's reports reach the runner. */
function followEvents(file: string | undefined, reports: Reports): { readonly end: () => Promise<void> } {
  if (file === undefined) return { end: async () => {} };
  const lines = new PassThrough();
  let hasWarned = false;
  const warnOnce = (line: string): void => {
    if (hasWarned) return;
    hasWarned = true;
    reports.warn(
      `ignored a line in REPRO_EVENTS that is not an event (docs/stages.md): ${shortenText(line, 80)}`,
    );
  };
  const read = readMessages(lines, (message) => report(message, reports) || warnOnce(message.type), warnOnce);
  const descriptor = openSync(file, 'w+');
  const chunk = Buffer.alloc(64 * 1024);
  let at = 0;
  const look = (): void => {
    for (let count = chunk.length; count === chunk.length; ) {
      count = readSync(descriptor, chunk, 0, chunk.length, at);
      at += count;
      lines.write(Buffer.from(chunk.subarray(0, count)));
    }
  };
  const timer = setInterval(look, lookEveryMs);
  return {
    end: async () => {
      clearInterval(timer);
      look();
      closeSync(descriptor);
      lines.end('\n');
      await read;
    },
  };
}

/** @returns whether a command may report this; how it ended, its exit code says */
function report(message: StageMessage, reports: Reports): boolean {
  if (message.type === 'progress') reports.progress(message.progress);
  else if (message.type === 'metrics') reports.metrics(message.values);
  else if (message.type === 'note') reports[message.level === 'note' ? 'note' : 'warn'](message.text);
  else return false;
  return true;
}

function describePaths(task: StageTask): NodeJS.ProcessEnv {
  const numbered = Object.entries({ INPUT: task.inputs, OUTPUT: task.outputs, RESUME: task.resume }).flatMap(
    ([name, paths]) => paths.map((one, i) => [`REPRO_${name}_${i}`, one]),
  );
  return {
    ...Object.fromEntries(numbered),
    REPRO_ID: task.id,
    REPRO_CPUS: String(task.cpus),
    REPRO_PARAMS: JSON.stringify(task.params),
    REPRO_MATRIX: JSON.stringify(task.matrix),
  };
}

function explainStart(program: string, cause: Error): ReproError {
  const [code, text, fix] = hasErrorCode(cause, 'ENOENT')
    ? ['command-not-found', "is not a program on this machine's PATH", 'Install it, or correct `cmd:`.']
    : hasErrorCode(cause, 'EACCES')
      ? ['command-not-found', 'is not executable', `chmod +x ${program}`]
      : ['command-failed', `could not be started: ${cause.message}`];
  return new ReproError(code ?? '', `"${program}" ${text}`, { fix, cause });
}
