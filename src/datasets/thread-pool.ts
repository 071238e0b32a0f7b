import { Worker } from 'node:worker_threads';
import { ReproError } from '../errors.ts';
import { putTogether } from './error-parts.ts';
import type { FromThread, ThreadJob, ThreadStart, ToThread } from './thread-job.ts';

/** What threads to use. */
export interface Threads {
  readonly count: number;
  /** URL or absolute path of the JavaScript file that the program runs from, which defines the job: a stage's `context.module`. */
  readonly module: string | URL;
}

/** As many threads as a stage has cores; undefined if there is no file that they could run from. */
export function threadsOf(context: { readonly cpus: number; readonly module?: string }): Threads | undefined {
  return context.module === undefined ? undefined : { count: context.cpus, module: context.module };
}

export interface ThreadWork<Setup, Task, Reply> {
  readonly threads: Threads;
  readonly setup: Setup;
  /** Each thread takes the next one as soon as it has finished one. */
  readonly tasks: readonly Task[];
  readonly signal?: AbortSignal | undefined;
  /** Takes a reply, one at a time. @returns memory to give back to the thread */
  receive(reply: Reply): Promise<ArrayBuffer | undefined> | undefined;
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
      const post = (message: ToThread, moved: ArrayBuffer[] = []) => worker.postMessage(message, moved);
      const giveNext = () => {
        if (next < tasks.length) post({ kind: 'task', task: tasks[next++] });
        else resolve();
      };
      const take = async (reply: Reply) => {
        const spare = await receive(reply);
        post({ kind: 'taken', spare }, spare === undefined ? [] : [spare]);
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
    // What was being received must not go on behind the caller's back.
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
