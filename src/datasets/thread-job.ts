import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { type ErrorParts, takeApart } from './error-parts.ts';

/**
 * Work that can be spread over threads.
 *
 * A thread loads the very file that its program runs from: a stage's bundle, or what the command line was compiled to. There the module
 * that defines the job finds out that it is in a thread and starts to work. So there is no second file to build, to find, or to forget in
 * the stage's fingerprint: all that a thread runs is in the bundle, and was hashed with it.
 *
 * @typeParam Setup the same for all tasks @typeParam Reply what a task sends, any number of times
 */
export interface ThreadJob<Setup, Task, Reply> {
  readonly name: string;
  /** Only here so that the types of a job belong to it. */
  readonly types?: { readonly setup: Setup; readonly task: Task; readonly reply: Reply };
}

/** A thread's way back. */
export interface ReplyPort<Reply> {
  /** Sends, and waits while too many replies are on their way. @param moved memory that goes along instead of being copied */
  send(reply: Reply, moved?: readonly ArrayBuffer[]): Promise<void>;
  /** Memory of a reply that has been dealt with, to be used again. */
  takeSpare(): ArrayBuffer | undefined;
}

/** What a new thread is told. */
export interface ThreadStart {
  readonly job: string;
  readonly setup: unknown;
}

export type ToThread =
  | { readonly kind: 'task'; readonly task: unknown }
  | { readonly kind: 'taken'; readonly spare: ArrayBuffer | undefined };

export type FromThread =
  | { readonly kind: 'reply'; readonly reply: unknown }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: ErrorParts };

/** Replies of a thread on their way: enough for it to go on while one is written, few enough to hold in memory. */
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
    parent.postMessage(
      message,
      moved.filter((memory) => memory instanceof ArrayBuffer),
    );
  const spares: ArrayBuffer[] = [];
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
    takeSpare: () => spares.pop(),
  };
  // Started with the first task, when all modules are there.
  let run: ((task: Task) => Promise<void>) | null = null;
  parent.on('message', (message: ToThread) => {
    if (message.kind === 'taken') {
      if (message.spare !== undefined) spares.push(message.spare);
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
