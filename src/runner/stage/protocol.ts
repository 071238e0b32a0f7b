import { writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { hasErrorCode } from '../../base/errors.ts';
import type { MetricValue, Progress } from './define-stage.ts';

/** What the runner passes to a stage's process, as a JSON file whose path is the process's only argument. */
export interface StageTask {
  readonly kind: 'module' | 'command';
  /** `module`: the bundled stage module's absolute path. `command`: absent. */
  readonly module?: string;
  /** `command`: program and arguments. */
  readonly argv?: readonly string[];
  readonly id: string;
  readonly params: unknown;
  readonly matrix: Readonly<Record<string, string | number | boolean>>;
  readonly facts: Readonly<Record<string, string>>;
  readonly inputs: readonly string[];
  /** Of a map: by name. */
  readonly namedInputs?: Readonly<Record<string, string | readonly string[]>>;
  readonly outputs: readonly string[];
  readonly resume: readonly string[];
  readonly cpus: number;
  /** For messages about files that are refused; absent if none are. */
  readonly declaration?: Declaration;
}

/** What messages about undeclared files of a stage need to know. */
export interface Declaration {
  readonly stage: string;
  /** Place in the pipeline file: `pipeline.yaml:24:3`. */
  readonly where: string;
  /** Absolute. */
  readonly projectRoot: string;
  /** Without links on the way. */
  readonly realRoot?: string;
  /** As declared, relative to the project. */
  readonly outputs: readonly string[];
}

/** The stage's process reports to the runner on this file descriptor, one JSON object per line. */
export const messageDescriptor = 3;

/** Nothing is ever sent on this one. It closes when the runner dies; then the stage must die, too. */
export const lifelineDescriptor = 4;

export type StageMessage =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'metrics'; readonly values: Readonly<Record<string, MetricValue>> }
  | { readonly type: 'note'; readonly level: 'note' | 'warning'; readonly text: string }
  | { readonly type: 'failed'; readonly code: string; readonly text: string }
  /** `peakMemoryBytes`: largest resident set; null if unknown. */
  | { readonly type: 'done'; readonly peakMemoryBytes: number | null };

/** How a process was killed, with the likely reason. */
export function describeKill(process: string, signal: string): string {
  const hint =
    signal === 'SIGKILL' ? '; unless someone killed it by hand, the machine ran out of memory' : '';
  return `${process} was killed by ${signal}${hint}`;
}

/** Stages may report after every sample, more often than a person can read. */
const progressEveryMs = 100;

/** The stage's end of the control channel. Writes are synchronous, so that they arrive even from a long computation. */
export class MessageChannel {
  #lastProgressMs = Number.NEGATIVE_INFINITY;

  send(message: StageMessage): void {
    write(message);
  }

  progress(progress: Progress): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastProgressMs < progressEveryMs && progress.done < progress.total) return;
    this.#lastProgressMs = nowMs;
    write({ type: 'progress', progress });
  }
}

function write(message: StageMessage): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(messageDescriptor, bytes, written);
    } catch (error) {
      // The channel is full only for a moment: the runner reads it continuously.
      if (!hasErrorCode(error, 'EAGAIN')) throw error;
    }
  }
}

/**
 * Passes on every message from a channel.
 *
 * @param onOther called with every other line that is not empty; default: they are ignored
 * @returns when the channel is closed
 */
export function readMessages(
  stream: Readable,
  onMessage: (message: StageMessage) => void,
  onOther: (line: string) => void = () => {},
): Promise<void> {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = parseStageMessage(line);
      if (message !== null) onMessage(message);
      else if (line.trim() !== '') onOther(line);
    }
  });
  return new Promise((resolve) => {
    // A broken channel is treated like a closed one: what matters is how the process ended.
    for (const end of ['error', 'close', 'end']) stream.once(end, () => resolve());
  });
}

/** Parses one line of the channel; null for anything that is not a message, since a stage may write anything. */
export function parseStageMessage(line: string): StageMessage | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && isMessage(value) ? (value as unknown as StageMessage) : null;
  } catch {
    return null;
  }
}

function isMessage({ type, progress, values, level, text, code, peakMemoryBytes }: JsonRecord): boolean {
  switch (type) {
    case 'progress':
      return isProgress(progress);
    case 'metrics':
      return isObject(values) && Object.values(values).every(isMetric);
    case 'note':
      return (level === 'note' || level === 'warning') && typeof text === 'string';
    case 'failed':
      return typeof code === 'string' && typeof text === 'string';
    default:
      return type === 'done' && (peakMemoryBytes === null || typeof peakMemoryBytes === 'number');
  }
}

type JsonRecord = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProgress(value: unknown): boolean {
  if (!isObject(value) || typeof value.done !== 'number' || typeof value.total !== 'number') return false;
  return [value.unit, value.note].every((one) => ['string', 'undefined'].includes(typeof one));
}

function isMetric(value: unknown): value is MetricValue {
  return value === null || ['number', 'string', 'boolean'].includes(typeof value);
}

/** People read the log afterwards: more lines of progress are of no use. */
const lineEveryMs = 10_000;

/** Writes a stage's `note`, `warn` and `progress` to its log; progress is thinned out. */
export class StageLog {
  readonly #write: (line: string) => void;
  readonly #nowMs: () => number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #withheld: Progress | null = null;

  constructor(write: (line: string) => void, nowMs: () => number = () => performance.now()) {
    this.#write = write;
    this.#nowMs = nowMs;
  }

  say(level: 'note' | 'warning', text: string): void {
    this.#write(level === 'warning' ? `warning: ${text}` : text);
  }

  progress(progress: Progress): void {
    this.#withheld = progress;
    if (this.#nowMs() - this.#lastMs >= lineEveryMs) this.end();
  }

  /** Writes the latest progress, before whatever ends the log. */
  end(): void {
    if (this.#withheld === null) return;
    const { done, total, unit, note } = this.#withheld;
    this.#withheld = null;
    this.#lastMs = this.#nowMs();
    const percent = total > 0 ? Math.floor((done * 100) / total) : 0;
    const figures = `${percent} % (${done} of ${total}${unit === undefined ? '' : ` ${unit}`})`;
    this.#write(note === undefined ? figures : `${figures}  ${note}`);
  }
}
