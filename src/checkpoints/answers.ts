import { ReproError } from '../errors.ts';

/** What the user says about a checkpoint that does not say it itself. */
export interface ImportAnswers {
  readonly pooling?: 'max' | 'average' | undefined;
  /** τ of LIF neurons, in time steps. */
  readonly tau?: number | undefined;
  readonly reset?: 'hard' | 'soft' | undefined;
  /** Frame size in pixels, [height, width]. */
  readonly size?: readonly [number, number] | undefined;
  /** T of a network for still images. */
  readonly steps?: number | undefined;
}

/** Something that a checkpoint does not say, and the value used instead. */
export interface Assumption {
  readonly what: string;
  /** Whether it changes the network's answers, or only how it would be trained further. */
  readonly matters: 'evaluation' | 'training';
}

/** The fix for a network that cannot be imported. */
export const IMPORTABLE = 'docs/checkpoints.md describes the networks that can be imported.';

/** Settles each setting: the file decides, then the user, then the thesis. Records every default taken from the thesis. */
export class Findings {
  readonly #file: string;
  readonly assumptions: Assumption[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param option the option of `repro import` that sets this; null if none does
   * @throws {ReproError} `import-contradiction` if file and user disagree
   */
  settle<T extends string | number | boolean>(
    name: string,
    {
      found,
      answer,
      otherwise,
      option,
    }: {
      readonly found: T | undefined;
      readonly answer?: T | undefined;
      readonly otherwise: T;
      readonly option: string | null;
    },
  ): T {
    if (found !== undefined) {
      if (answer !== undefined && answer !== found) this.contradict(name, String(found), option);
      return found;
    }
    if (answer !== undefined) return answer;
    this.assume(`${name} ${String(otherwise)}, as in the thesis`, option);
    return otherwise;
  }

  /** As `settle`, for a setting that changes only how the network would be trained further. */
  settleForTraining<T extends string | number | boolean>(
    name: string,
    found: T | undefined,
    otherwise: T,
  ): T {
    if (found === undefined) this.assume(`${name} ${String(otherwise)}, as in the thesis`, null, 'training');
    return found ?? otherwise;
  }

  assume(what: string, option: string | null, matters: Assumption['matters'] = 'evaluation'): void {
    // Names the command, because evaluations show this too and have no such option.
    const remark = option === null ? '' : ` (change it with repro import ${option})`;
    this.assumptions.push({ what: what + remark, matters });
  }

  contradict(name: string, found: string, option: string | null): never {
    throw new ReproError(
      'import-contradiction',
      `the file says ${name} ${found}, but ${option} says otherwise.`,
      { where: this.#file, fix: `Leave out ${option}: it is for files that do not say.` },
    );
  }

  fail(problem: string, fix: string): never {
    throw new ReproError('import-unknown', `${problem}.`, { where: this.#file, fix });
  }
}
