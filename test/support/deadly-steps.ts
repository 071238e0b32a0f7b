import process from 'node:process';

/** The steps that this process takes on the disk. It kills itself, without a chance to clean up, before one of them. */
export class DeadlySteps {
  readonly #deadly: string | undefined;
  #count = 0;

  /** @param deadly the number of that step, from 0 */
  constructor(deadly: string | undefined) {
    this.#deadly = deadly;
  }

  /** Counts a step. @returns whether it is the deadly one */
  isNext(): boolean {
    return String(this.#count++) === this.#deadly;
  }

  die(): never {
    process.kill(process.pid, 'SIGKILL');
    throw new Error('unreachable');
  }

  /** The same function, as a step. */
  before<A extends unknown[], R>(act: (...args: A) => R): (...args: A) => R {
    return (...args) => (this.isNext() ? this.die() : act(...args));
  }
}
