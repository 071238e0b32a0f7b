import type { Answer, Request } from '../messages.ts';

declare const WORKER_SOURCE: string;

type Asked = Request extends infer One ? (One extends Request ? Omit<One, 'id'> : never) : never;

/** The thread that computes; its source is part of this script, since a page from the disk cannot load another file. */
export class PageWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Answer) => boolean>();
  #last = 0;

  constructor() {
    const address = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
    this.#worker = new Worker(address);
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      if (this.#waiting.get(data.id)?.(data) === true) this.#waiting.delete(data.id);
    });
  }

  /** @returns the last answer to the request; `onAnswer` gets the others */
  ask(request: Asked, onAnswer: (answer: Answer) => void = () => undefined): Promise<Answer> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if (answer.kind === 'failed') {
          reject(new Error(answer.message));
          return true;
        }
        const goesOn = answer.kind === 'trained' && answer.progress.values === undefined;
        if (goesOn) onAnswer(answer);
        else resolve(answer);
        return !goesOn;
      });
      this.#worker.postMessage({ ...request, id });
    });
  }
}
