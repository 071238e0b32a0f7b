import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ReaderAnswer, ReaderTask } from './reader-child.ts';
import type { StageAnswer, StageTask } from './stage-child.ts';

/** A process that answers one line with one line. */
export class Reader {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, args: readonly string[]) {
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async ask(task: ReaderTask): Promise<ReaderAnswer> {
    this.#process.stdin!.write(`${JSON.stringify(task)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.#process.spawnfile} ended without an answer`);
    return JSON.parse(value) as ReaderAnswer;
  }

  end(): void {
    this.#process.stdin!.end();
  }
}

export function runStage(script: string, task: StageTask): StageAnswer {
  const output = execFileSync(process.execPath, [script, JSON.stringify(task)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output) as StageAnswer;
}
