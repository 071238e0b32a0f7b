const words = 624;
const middle = 397;

/** A generator's state: 624 words, and how many of them are used up. */
export interface MersenneState {
  readonly words: Uint32Array;
  readonly position: number;
}

/**
 * The Mersenne Twister MT19937: a uniform stream of 32-bit words with period 2^19937 - 1.
 *
 * @see Matsumoto and Nishimura 1998, with the initialisation of 2002 (multiplier 1812433253)
 */
export class MersenneTwister {
  #words: Uint32Array;
  #position: number;

  /** @param seed only the low 32 bits count */
  constructor(seed: number | bigint) {
    this.#words = new Uint32Array(words);
    this.#words[0] = Number(BigInt.asUintN(32, BigInt(seed)));
    for (let i = 1; i < words; i++) {
      const before = this.#words[i - 1]!;
      this.#words[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
    this.#position = words;
  }

  static restore(state: MersenneState): MersenneTwister {
    if (state.words.length !== words || !(state.position >= 0 && state.position <= words)) {
      throw new RangeError(
        `a Mersenne Twister has ${words} words and a position up to that, got ${state.words.length} and ${state.position}`,
      );
    }
    const twister = new MersenneTwister(0);
    twister.#words = state.words.slice();
    twister.#position = state.position;
    return twister;
  }

  state(): MersenneState {
    return { words: this.#words.slice(), position: this.#position };
  }

  /** The next word, 0 to 2^32 - 1. */
  next(): number {
    if (this.#position === words) this.#refill();
    let word = this.#words[this.#position++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #refill(): void {
    const state = this.#words;
    for (let i = 0; i < words; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % words]! & 0x7fffffff);
      state[i] = state[(i + middle) % words]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    this.#position = 0;
  }
}
