import type { Fail } from './problems.ts';

/** The longest string or bytes in a pickle; PyTorch's longest is the source of a class, about 10 kB. */
const MOST_TEXT_BYTES = 1 << 20;
/** The longest whole number; PyTorch's magic number has 10 bytes, a random generator's state 624 words of 4. */
const MOST_NUMBER_BYTES = 4096;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the arguments of opcodes, never beyond the end. */
export class PickleInput {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fail: Fail;
  position: number;

  constructor(bytes: Uint8Array, position: number, fail: Fail) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
    this.position = position;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.#take(8), true));
  }

  /** Big-endian, unlike everything else in a pickle. */
  float64(): number {
    return this.#view.getFloat64(this.#take(8), false);
  }

  bytes(length: number): Uint8Array {
    if (length > MOST_TEXT_BYTES) {
      this.#fail(
        'unsupported',
        `a string or bytes of ${length} bytes; at most ${MOST_TEXT_BYTES} are allowed`,
        this.position,
      );
    }
    const start = this.#take(length);
    return this.#bytes.slice(start, start + length);
  }

  text(length: number): string {
    const start = this.position;
    try {
      return utf8.decode(this.bytes(length));
    } catch (error) {
      if (error instanceof TypeError) return this.#fail('broken', 'a string is not UTF-8', start);
      throw error;
    }
  }

  /** Up to a line feed, without it. */
  line(): string {
    const start = this.position;
    const end = this.#bytes.indexOf(0x0a, start);
    if (end < 0 || end - start > 1000) this.#fail('broken', 'a name has no end', start);
    this.position = end + 1;
    return Buffer.from(this.#bytes.subarray(start, end)).toString('utf8');
  }

  /** Two's complement, little-endian. */
  integer(length: number): number | bigint {
    if (length > MOST_NUMBER_BYTES) {
      this.#fail(
        'unsupported',
        `a whole number of ${length} bytes; at most ${MOST_NUMBER_BYTES} are allowed`,
        this.position,
      );
    }
    const bytes = this.bytes(length);
    if (length === 0) return 0;
    const unsigned = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
    const value = BigInt.asIntN(8 * length, unsigned);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #take(length: number): number {
    const start = this.position;
    if (length > this.#bytes.length - start) {
      this.#fail('broken', `it ends inside its pickle: expected ${length} more bytes`, this.#bytes.length);
    }
    this.position += length;
    return start;
  }
}
