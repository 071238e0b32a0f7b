import { expSingle, fastLogSingle, fastSinCosSingle, logSingle, multiplyAdd } from './single-precision.ts';

/** The state of a stream of torch's draws; the spare is the unused second half of a pair of normal draws. */
export interface TorchRandomState extends MersenneState {
  readonly spareNormal: number | undefined;
}

/** Below this many elements, torch draws normal numbers one by one in double precision. */
const vectorisedFrom = 16;

const twoPi = Math.fround(2 * Math.PI);

/**
 * `torch.Generator` on the CPU: the same seed gives the same numbers, bit for bit, as PyTorch 2.6 on an x86-64 CPU with
 * AVX2 and FMA. On other CPUs torch's own normal numbers differ in their last bits; uniform numbers and permutations do not.
 */
export class TorchRandom {
  #twister: MersenneTwister;
  #spareNormal: number | undefined;

  /** @param seed as for `torch.manual_seed`; only its low 32 bits count */
  constructor(seed: number | bigint) {
    this.#twister = new MersenneTwister(seed);
  }

  static restore(state: TorchRandomState): TorchRandom {
    const random = new TorchRandom(0);
    random.#twister = MersenneTwister.restore(state);
    random.#spareNormal = state.spareNormal;
    return random;
  }

  state(): TorchRandomState {
    return { ...this.#twister.state(), spareNormal: this.#spareNormal };
  }

  /** `tensor.random_()` of an int64: 0 to 2^63 - 1. */
  int64(): bigint {
    const high = BigInt(this.#twister.next());
    return BigInt.asUintN(63, (high << 32n) | BigInt(this.#twister.next()));
  }

  /** Passes over so many numbers of which each takes one word: `torch.rand`, `uniform_` and `torch.randint` of a small range. */
  skip(count: number): void {
    for (let i = 0; i < count; i++) this.#twister.next();
  }

  /** `torch.rand`, one element: a multiple of 2^-24 in [0, 1). */
  uniform(): number {
    return (this.#twister.next() & 0xffffff) * 2 ** -24;
  }

  /** `torch.empty(count).uniform_(from, to)`. */
  uniforms(count: number, from: number, to: number): Float32Array {
    const low = Math.fround(from);
    const range = Math.fround(Math.fround(to) - low);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = multiplyAdd(this.uniform(), range, low);
    return values;
  }

  /** `torch.randn(count)`: standard normal numbers by the method of Box and Muller. */
  normals(count: number): Float32Array {
    const values = new Float32Array(count);
    if (count < vectorisedFrom) {
      for (let i = 0; i < count; i++) values[i] = this.#normal();
      return values;
    }
    for (let i = 0; i < count; i++) values[i] = this.uniform();
    for (let i = 0; i + 16 <= count; i += 16) transformSixteen(values, i);
    if (count % 16 !== 0) {
      // torch redraws the last 16 instead of filling a partial block.
      for (let i = count - 16; i < count; i++) values[i] = this.uniform();
      transformSixteen(values, count - 16);
    }
    return values;
  }

  /** `torch.randperm(count)`, for count < 2^32 / 20. */
  permutation(count: number): Int32Array {
    const values = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = 0; i < count - 1; i++) {
      const other = i + (this.#twister.next() % (count - i));
      const kept = values[i]!;
      values[i] = values[other]!;
      values[other] = kept;
    }
    return values;
  }

  /** A multiple of 2^-53 in [0, 1). */
  #double(): number {
    const high = this.#twister.next() & 0x1fffff;
    return (high * 2 ** 32 + this.#twister.next()) * 2 ** -53;
  }

  #normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    const angle = 2 * Math.PI * this.#double();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#double()));
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

const sinCos = new Float32Array(2);

/** Turns 16 uniform numbers into normal ones: eight radii from the first half, eight angles from the second. */
function transformSixteen(values: Float32Array, offset: number): void {
  for (let i = offset; i < offset + 8; i++) {
    const radius = Math.fround(Math.sqrt(-2 * fastLogSingle(1 - values[i]!)));
    fastSinCosSingle(Math.fround(twoPi * values[i + 8]!), sinCos);
    values[i] = radius * sinCos[1]!;
    values[i + 8] = radius * sinCos[0]!;
  }
}

/**
 * `torch.nn.init.kaiming_uniform_(tensor, a=√5)`, the default of convolutions and linear layers:
 * uniform in ±√3 · √(2 / (1 + a²)) / √fanIn, which is ±1 / √fanIn.
 *
 * @param fanIn the number of inputs to one output: in · kernel height · kernel width
 */
export function drawKaimingUniform(random: TorchRandom, count: number, fanIn: number): Float32Array {
  // In the order of PyTorch's arithmetic: the short form rounds differently.
  const bound = Math.sqrt(3) * (Math.sqrt(2 / (1 + Math.sqrt(5) ** 2)) / Math.sqrt(fanIn));
  return random.uniforms(count, -bound, bound);
}

/**
 * Log-normal numbers with this mean and standard deviation (of the numbers, not their logarithms), drawn like the original's
 * membrane time constants: φ = √(mean² + std²), exp(n · √ln(φ² / mean²) + ln(mean² / φ)).
 */
export function drawLogNormal(random: TorchRandom, count: number, mean: number, std: number): Float32Array {
  const round = Math.fround;
  const meanSquare = round(round(mean) * round(mean));
  const phi = round(Math.sqrt(round(round(round(std) * round(std)) + meanSquare)));
  const location = logSingle(round(meanSquare / phi));
  const scale = round(Math.sqrt(logSingle(round(round(phi * phi) / meanSquare))));
  const values = random.normals(count);
  for (let i = 0; i < count; i++) values[i] = expSingle(round(round(values[i]! * scale) + location));
  return values;
}

/**
 * Mixes several numbers into a 32-bit seed with the steps of MurmurHash3's finaliser: similar inputs give unrelated seeds. It is for
 * streams that depend only on these numbers, not on earlier draws. Only the low 32 bits of each number count.
 */
export function mixSeed(...parts: readonly number[]): number {
  let hash = 0;
  for (const part of parts) {
    hash = (hash ^ part) + 0x9e3779b9;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

const words = 624;
const middle = 397;

/** A generator's state: 624 words, and how many of them are used up. */
interface MersenneState {
  readonly words: Uint32Array;
  readonly position: number;
}

/**
 * The Mersenne Twister MT19937: a uniform stream of 32-bit words with period 2^19937 - 1.
 *
 * @see Matsumoto and Nishimura 1998, with the initialisation of 2002 (multiplier 1812433253)
 */
class MersenneTwister {
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
