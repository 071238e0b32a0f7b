import { inspect } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { ReproError } from '../../base/errors.ts';

export interface Threads {
  readonly count: number;
  /** URL or absolute path of the JavaScript file that the program runs from, which defines the job: a stage's `context.module`. */
  readonly module: string | URL;
}

/** As many threads as a stage has cores; undefined if there is no file that they could run from. */
export function threadsOf(context: { readonly cpus: number; readonly module?: string }): Threads | undefined {
  return context.module === undefined ? undefined : { count: context.cpus, module: context.module };
}

interface ThreadWork<Setup, Task, Reply> {
  readonly threads: Threads;
  readonly setup: Setup;
  /** Each thread takes the next one as soon as it has finished one. */
  readonly tasks: readonly Task[];
  readonly signal?: AbortSignal | undefined;
  /** Takes a reply, one at a time. */
  receive(reply: Reply): Promise<void> | void;
}

/**
 * Does the tasks in threads and returns when all are done. The first failure ends all threads, and so does the signal.
 *
 * @throws what a task threw; `thread-ended` if a thread ends by itself, for instance because there is no more memory
 */
export async function runInThreads<Setup, Task, Reply>(
  job: ThreadJob<Setup, Task, Reply>,
  { threads, setup, tasks, signal, receive }: ThreadWork<Setup, Task, Reply>,
): Promise<void> {
  signal?.throwIfAborted();
  const start: ThreadStart = { job: job.name, setup };
  const count = Math.min(threads.count, tasks.length);
  const workers = Array.from({ length: count }, () => new Worker(threads.module, { workerData: start }));
  let next = 0;
  let received = Promise.resolve();
  const serve = (worker: Worker) =>
    new Promise<void>((resolve, reject) => {
      const post = (message: ToThread) => worker.postMessage(message);
      const giveNext = () => {
        if (next < tasks.length) post({ kind: 'task', task: tasks[next++] });
        else resolve();
      };
      const take = async (reply: Reply) => {
        await receive(reply);
        post({ kind: 'taken' });
      };
      worker.on('error', (error) => reject(explainEnd(error)));
      worker.on('exit', (code) => reject(explainEnd(new Error(`it ended with exit code ${code}`))));
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'reply') {
          received = received.then(() => take(message.reply as Reply));
          received.catch(reject);
        } else if (message.kind === 'done') giveNext();
        else reject(putTogether(message.error));
      });
      giveNext();
    });
  const stopped = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    await Promise.race([stopped, Promise.all(workers.map(serve))]);
    await received;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    // Nothing is received after the caller has its answer.
    await received.catch(() => {});
  }
}

function explainEnd(cause: Error): ReproError {
  const isMemory = 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return new ReproError('thread-ended', `a thread ended before its work was done: ${cause.message}.`, {
    fix: isMemory
      ? 'It ran out of memory: run again with fewer threads.'
      : 'Run again; if it happens every time, report it with this message.',
    cause,
  });
}

/**
 * Work that can be spread over threads.
 *
 * A thread loads the very file that its program runs from: a stage's bundle, or what the command line was compiled to. The module that
 * defines the job notices there that it is in a thread, and starts to work. So no second file has to be built, found, or hashed: all that
 * a thread runs is in the bundle, which is part of the stage's fingerprint.
 *
 * @typeParam Setup the same for all tasks @typeParam Reply what a task sends, any number of times
 */
interface ThreadJob<Setup, Task, Reply> {
  readonly name: string;
  /** Never set: it ties the types to the job. */
  readonly types?: { readonly setup: Setup; readonly task: Task; readonly reply: Reply };
}

interface ReplyPort<Reply> {
  /** Sends, and waits while too many replies are on their way. @param moved memory that goes along instead of being copied */
  send(reply: Reply, moved?: readonly ArrayBuffer[]): Promise<void>;
}

interface ThreadStart {
  readonly job: string;
  readonly setup: unknown;
}

type ToThread = { readonly kind: 'task'; readonly task: unknown } | { readonly kind: 'taken' };

type FromThread =
  | { readonly kind: 'reply'; readonly reply: unknown }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: ErrorParts };

/** Replies of a thread on their way: enough for it to continue while one is written, few enough to hold in memory. */
const MOST_REPLIES = 4;

/** Defines a job under a name of its own. It must be at the top level of its module, because threads only load that. */
export function defineThreadJob<Setup, Task, Reply>(
  name: string,
  start: (setup: Setup, port: ReplyPort<Reply>) => (task: Task) => Promise<void>,
): ThreadJob<Setup, Task, Reply> {
  if (!isMainThread && parentPort !== null && isStart(workerData) && workerData.job === name) {
    serve(parentPort, (port) => start(workerData.setup as Setup, port));
  }
  return { name };
}

function isStart(value: unknown): value is ThreadStart {
  return typeof value === 'object' && value !== null && 'job' in value && 'setup' in value;
}

function serve<Task, Reply>(
  parent: NonNullable<typeof parentPort>,
  start: (port: ReplyPort<Reply>) => (task: Task) => Promise<void>,
): void {
  const post = (message: FromThread, moved: readonly ArrayBuffer[] = []) =>
    parent.postMessage(message, [...moved]);
  let onTheWay = 0;
  let resume: (() => void) | null = null;
  const port: ReplyPort<Reply> = {
    send: async (reply, moved) => {
      post({ kind: 'reply', reply }, moved);
      onTheWay += 1;
      while (onTheWay >= MOST_REPLIES) {
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
      }
    },
  };
  // Started with the first task, when all modules are there.
  let run: ((task: Task) => Promise<void>) | null = null;
  parent.on('message', (message: ToThread) => {
    if (message.kind === 'taken') {
      onTheWay -= 1;
      resume?.();
      return;
    }
    run ??= start(port);
    run(message.task as Task).then(
      () => post({ kind: 'done' }),
      (error: unknown) => post({ kind: 'failed', error: takeApart(error) }),
    );
  });
}

/** An error as it passes between threads, which only keep its name, message and stack. */
interface ErrorParts {
  readonly isForPeople: boolean;
  readonly message: string;
  readonly stack: string | undefined;
  /** In words. */
  readonly cause: string | undefined;
  /** `code`, `where` and `fix`, or those of a system error: `code`, `syscall`, `path`. */
  readonly fields: Readonly<Record<string, string | number>>;
}

export function takeApart(error: unknown): ErrorParts {
  const own = error instanceof Error ? error : new Error(String(error));
  const { message, stack, cause } = own;
  const fields = Object.entries(own).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return {
    isForPeople: own instanceof ReproError,
    message,
    stack,
    cause: cause === undefined ? undefined : cause instanceof Error ? cause.message : inspect(cause),
    fields: Object.fromEntries(fields),
  };
}

/** The same kind of error again. */
export function putTogether({ isForPeople, message, stack, cause, fields }: ErrorParts): Error {
  if (isForPeople) return new ReproError(String(fields.code), message, { ...fields, cause });
  return Object.assign(new Error(message, { cause }), fields, { stack });
}
