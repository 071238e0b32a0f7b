import { callName, lookUpName, NUMPY_BYTE_ORDER } from './globals.ts';
import {
  describeValue,
  type Fail,
  PickleName,
  PickleRecord,
  type PickleValue,
  type TorchStorage,
} from './values.ts';

/** Resolves a persistent id: PyTorch keeps storages outside its pickles. */
export type LoadStorage = (id: PickleValue, fail: Fail) => TorchStorage;

/** Values that a pickle may make, copies included; the log of 1,256 epochs takes about 150,000. */
const MOST_VALUES = 4_000_000;

/** The state of unpickling and the operations on it: a stack of values, marks on it, and a memo of values by number. */
export class PickleMachine {
  readonly input: PickleInput;
  /** Reports errors, with the position in the pickle's bytes as their offset. */
  readonly #fail: Fail;
  readonly #load: LoadStorage;
  readonly #stack: PickleValue[] = [];
  /** Where the open lists and tuples begin on the stack. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #leftValues = MOST_VALUES;
  /** Position of the current opcode. */
  #at = 0;

  constructor(bytes: Uint8Array, fail: Fail, load: LoadStorage) {
    this.input = new PickleInput(bytes, fail);
    this.#fail = fail;
    this.#load = load;
  }

  nextOpcode(): number {
    this.#at = this.input.position;
    this.charge(1);
    return this.input.uint8();
  }

  /** The one value left at the end. */
  finish(): PickleValue {
    if (this.#marks.length > 0) this.fail('broken', 'the pickle ends inside a list or tuple');
    const value = this.pop();
    if (this.#stack.length > 0) this.fail('broken', 'the pickle leaves unused values');
    return value;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** The last value, which must lie above the last mark. */
  top(): PickleValue {
    const floor = this.#marks.at(-1) ?? 0;
    const value = this.#stack.length > floor ? this.#stack.at(-1) : undefined;
    return value === undefined ? this.fail('broken', 'a value is missing') : value;
  }

  pop(): PickleValue {
    const value = this.top();
    this.#stack.pop();
    return value;
  }

  popMany(count: number): PickleValue[] {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) this.fail('broken', 'values are missing');
    return this.#stack.splice(-count);
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Everything since the last mark. */
  popMarked(): PickleValue[] {
    const mark = this.#marks.pop();
    return mark === undefined
      ? this.fail('broken', 'a list or tuple was never opened')
      : this.#stack.splice(mark);
  }

  memoise(index = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    this.push(
      value === undefined ? this.fail('broken', `it refers to value ${index}, which does not exist`) : value,
    );
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.fail('broken', `it appends to ${describeValue(list)}`);
    for (const value of values) list.push(value);
  }

  addItems(values: readonly PickleValue[]): void {
    const set = this.top();
    if (!(set instanceof Set)) this.fail('broken', `it adds to ${describeValue(set)}`);
    for (const value of values) set.add(value);
  }

  /** Of a dictionary, or of an object whose class is one. */
  setItems(values: readonly PickleValue[]): void {
    const top = this.top();
    const map = top instanceof PickleRecord ? top.state : top;
    if (!(map instanceof Map)) this.fail('broken', `it sets entries of ${describeValue(top)}`);
    for (const [key, value] of this.pairs(values)) map.set(key, value);
  }

  pairs(values: readonly PickleValue[]): [PickleValue, PickleValue][] {
    if (values.length % 2 !== 0) this.fail('broken', 'a dictionary has a key without a value');
    return Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i]!, values[2 * i + 1]!]);
  }

  pushName(module: PickleValue | undefined, name: PickleValue | undefined): void {
    if (typeof module !== 'string' || typeof name !== 'string') this.fail('broken', 'a name is not a string');
    this.push(lookUpName(module, name, this.#fail, this.#at));
  }

  call([callee, args]: readonly PickleValue[]): void {
    if (!Array.isArray(args)) this.fail('broken', 'a call has no tuple of arguments');
    const charge = (values: number) => this.charge(values);
    this.push(callName(callee ?? null, { args, fail: this.fail.bind(this), charge }));
  }

  /** Sets attributes: a dictionary, or a pair of dictionaries. Those of a dictionary itself are ignored. */
  build(state: PickleValue): void {
    const target = this.top();
    if (target instanceof PickleName) this.fail('refused', `it changes ${target.name}`);
    if (target instanceof Map) return;
    if (!(target instanceof PickleRecord)) {
      this.fail('broken', `it sets attributes of ${describeValue(target)}`);
    }
    // The state of a dtype is a tuple: version, byte order, and more.
    if (target.className === 'numpy.dtype' && Array.isArray(state)) {
      target.state.set(NUMPY_BYTE_ORDER, state[1] ?? null);
      return;
    }
    for (const part of Array.isArray(state) ? state.slice(0, 2) : [state]) {
      if (!(part instanceof Map)) continue;
      this.charge(part.size);
      for (const [key, value] of part) target.state.set(key, value);
    }
  }

  load(id: PickleValue): void {
    this.push(this.#load(id, this.fail.bind(this)));
  }

  /** Counts values against the limit, so that a small file cannot fill the memory with copies. */
  charge(values: number): void {
    this.#leftValues -= values;
    if (this.#leftValues < 0) this.fail('refused', 'the pickle expands to more values than a checkpoint has');
  }

  fail(...[kind, what, offset = this.#at]: Parameters<Fail>): never {
    return this.#fail(kind, what, offset);
  }
}

/** The longest whole number: a random generator's state has 624 words of 4. */
const MOST_INTEGER_BYTES = 4096;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the arguments of opcodes, never beyond the end. */
class PickleInput {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fail: Fail;
  position = 0;

  constructor(bytes: Uint8Array, fail: Fail) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
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
    if (length > MOST_INTEGER_BYTES) {
      const what = `a whole number of ${length} bytes; at most ${MOST_INTEGER_BYTES} are allowed`;
      this.#fail('unsupported', what, this.position);
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
