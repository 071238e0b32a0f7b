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

/**
 * Sine and logarithm using only additions, multiplications and comparisons, which IEEE 754 fixes to the last bit.
 * `Math.sin` and `Math.log` may differ in the last bit from one JavaScript engine, or version of it, to the next, and one
 * such bit moves an event by a microsecond and changes a file's digest. `Math.sqrt` and `Math.floor` are exact everywhere.
 */

const TWO_PI = 6.283185307179586;

/** `sin(2π · turns)`, to 1e-11 absolute. */
export function sineOfTurns(turns: number): number {
  let r = turns - Math.floor(turns + 0.5);
  if (r > 0.25) r = 0.5 - r;
  else if (r < -0.25) r = -0.5 - r;
  const x = r * TWO_PI;
  const q = x * x;
  // Taylor's series to x^15, nested; the next term is below 1e-11 at a quarter turn.
  const tail = 1 - (q / 110) * (1 - (q / 156) * (1 - q / 210));
  return x * (1 - (q / 6) * (1 - (q / 20) * (1 - (q / 42) * (1 - (q / 72) * tail))));
}

/** `cos(2π · turns)`, to 1e-11 absolute. */
export function cosineOfTurns(turns: number): number {
  return sineOfTurns(turns + 0.25);
}

/**
 * Natural logarithm, to 1e-13 relative or absolute, whichever is larger.
 *
 * @throws {RangeError} if the value is not a finite number > 0
 */
export function naturalLog(value: number): number {
  if (!(value > 0 && value < Infinity))
    throw new RangeError(`naturalLog: expected a number > 0, got ${value}`);
  let mantissa = value;
  let halvings = 0;
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    halvings++;
  }
  while (mantissa > Math.SQRT2) {
    mantissa /= 2;
    halvings--;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const q = s * s;
  // ln m = 2 artanh s; |s| < 0.172, so the term after s^15 is below 1e-13.
  let sum = 0;
  for (let power = 15; power >= 1; power -= 2) sum = sum * q + 1 / power;
  return 2 * s * sum - halvings * Math.LN2;
}

/** Smooth step from 0 to 1 with flat ends: `3s² − 2s³` with s clamped to [0, 1]. */
export function smoothStep(s: number): number {
  const c = Math.max(0, Math.min(1, s));
  return c * c * (3 - 2 * c);
}
