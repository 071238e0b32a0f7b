import { naturalLog } from '../../base/portable-math.ts';

const WORD_VALUES = 2 ** 32;
/** Rounds after seeding, as in PractRand, so that similar names give unrelated numbers. */
const MIXING_ROUNDS = 15;

/**
 * A named stream of pseudo-random numbers: sfc32 (a "small fast counting" generator with 96 bits of state and a
 * 32-bit counter), using 32-bit integer arithmetic only. Streams with different names are independent for all purposes here,
 * so what one draws never depends on what another has drawn, nor on the order of work.
 *
 * This generator is only for the simulation; training uses PyTorch's random numbers, implemented elsewhere.
 *
 * @see Chris Doty-Humphrey, PractRand, `sfc32`
 */
export class RandomStream {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /** @param name what the numbers are for, for instance `['1', 'user07', 'led', 'noise']`; order matters */
  constructor(name: readonly (string | number)[]) {
    for (const part of name) {
      for (const unit of String(part)) this.#absorb(unit.codePointAt(0)!);
      // Ends each part, so that ['a', 'bc'] and ['ab', 'c'] differ.
      this.#absorb(0x110000);
    }
    for (let round = 0; round < MIXING_ROUNDS; round++) this.word();
  }

  /** The next 32 bits, 0 <= word < 2^32. */
  word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.word() / WORD_VALUES;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A whole number 0 <= n < count; the bias is below count / 2^32. */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Nearly normal, mean 0 and standard deviation 1: the sum of twelve uniforms minus six; never beyond ±6. */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.uniform();
    return sum;
  }

  /** Exponential with mean 1: the gap between events of a Poisson process of rate 1. */
  exponential(): number {
    return -naturalLog((this.word() + 0.5) / WORD_VALUES);
  }

  #absorb(value: number): void {
    this.#a = (this.#a ^ value) | 0;
    this.word();
    this.word();
  }
}
