import type { Answer, Request } from '../messages.ts';

declare const WORKER_SOURCE: string;

type Asked = Request extends infer One ? (One extends Request ? Omit<One, 'id'> : never) : never;

/**
 * Starts the thread that computes; its source is part of this script, since a page from the disk cannot load another file.
 *
 * @returns what asks it, and gives the last answer to a request; `follow` gets all
 */
export function startThread() {
  const worker = new Worker(URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' })));
  const waiting = new Map<number, (answer: Answer) => void>();
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => waiting.get(data.id)?.(data));
  let id = 0;
  return (request: Asked, follow: (answer: Answer) => void = () => undefined): Promise<Answer> =>
    new Promise((resolve, reject) => {
      id += 1;
      waiting.set(id, (answer) => {
        follow(answer);
        if (answer.kind === 'failed') reject(new Error(answer.message));
        else if (answer.kind === 'trace' || answer.progress.values !== undefined) resolve(answer);
        else return;
        waiting.delete(answer.id);
      });
      worker.postMessage({ ...request, id });
    });
}

export type Thread = ReturnType<typeof startThread>;
