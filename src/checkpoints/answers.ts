import { ReproError } from '../errors.ts';

/** What a person says of a checkpoint that does not say it itself. */
export interface ImportAnswers {
  readonly pooling?: 'max' | 'average' | undefined;
  /** τ of LIF neurons, in time steps. */
  readonly tau?: number | undefined;
  readonly reset?: 'hard' | 'soft' | undefined;
  /** Pixels of a frame, [height, width]. */
  readonly size?: readonly [number, number] | undefined;
  /** T, of a network for still images. */
  readonly steps?: number | undefined;
}

/** One thing that a checkpoint does not say, and what is taken instead. */
export interface Assumption {
  readonly what: string;
  /** Whether it changes what the network answers, or only how it would be trained further. */
  readonly matters: 'evaluation' | 'training';
}

/** Puts together what the file says, what the person says and what the thesis has, in this order, and keeps book of the last. */
export class Findings {
  readonly #file: string;
  readonly assumptions: Assumption[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param option the option of `repro import` that answers this; null if none does
   * @throws {ReproError} `import-contradiction` if file and person say different things
   */
  settle<T extends string | number | boolean>(
    name: string,
    {
      found,
      answer,
      otherwise,
      option,
      matters = 'evaluation',
    }: {
      readonly found: T | undefined;
      readonly answer?: T | undefined;
      readonly otherwise: T;
      readonly option: string | null;
      readonly matters?: Assumption['matters'];
    },
  ): T {
    if (found !== undefined) {
      if (answer !== undefined && answer !== found) this.contradict(name, String(found), option);
      return found;
    }
    if (answer !== undefined) return answer;
    this.assume(`${name} ${String(otherwise)}, as in the thesis`, option, matters);
    return otherwise;
  }

  assume(what: string, option: string | null, matters: Assumption['matters'] = 'evaluation'): void {
    // The command is named too: this is told with each evaluation, which has no such options.
    const remark = option === null ? '' : ` (repro import ${option} says otherwise)`;
    this.assumptions.push({ what: what + remark, matters });
  }

  contradict(name: string, found: string, option: string | null): never {
    throw new ReproError(
      'import-contradiction',
      `the file says ${name} ${found}, and ${option} something else.`,
      {
        where: this.#file,
        fix: `Leave ${option} out: it is for files that do not say.`,
      },
    );
  }

  fail(problem: string, fix: string): never {
    throw new ReproError('import-unknown', `${problem}.`, { where: this.#file, fix });
  }
}
