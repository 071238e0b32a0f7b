import { endianness } from 'node:os';
import { failElement, failVariable, type MatBytes, type MatElement, placeIn } from './mat5-element.ts';

export type MatNumbers =
  | Float64Array
  | Float32Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

type Make = (memory: ArrayBuffer) => MatNumbers;

/** Types of stored data, by their number in the file. */
const STORED: ReadonlyMap<number, Make> = new Map<number, Make>([
  [1, (memory) => new Int8Array(memory)],
  [2, (memory) => new Uint8Array(memory)],
  [3, (memory) => new Int16Array(memory)],
  [4, (memory) => new Uint16Array(memory)],
  [5, (memory) => new Int32Array(memory)],
  [6, (memory) => new Uint32Array(memory)],
  [7, (memory) => new Float32Array(memory)],
  [9, (memory) => new Float64Array(memory)],
  [12, (memory) => new BigInt64Array(memory)],
  [13, (memory) => new BigUint64Array(memory)],
]);

/** Numeric array classes, by their number in the file. */
const CLASSES: ReadonlyMap<number, Make> = new Map<number, Make>([
  [6, (memory) => new Float64Array(memory)],
  [7, (memory) => new Float32Array(memory)],
  [8, (memory) => new Int8Array(memory)],
  [9, (memory) => new Uint8Array(memory)],
  [10, (memory) => new Int16Array(memory)],
  [11, (memory) => new Uint16Array(memory)],
  [12, (memory) => new Int32Array(memory)],
  [13, (memory) => new Uint32Array(memory)],
  [14, (memory) => new BigInt64Array(memory)],
  [15, (memory) => new BigUint64Array(memory)],
]);

const NOTHING = new ArrayBuffer(0);

export function isNumericClass(arrayClass: number): boolean {
  return CLASSES.has(arrayClass);
}

export function classBytes(arrayClass: number): number {
  return CLASSES.get(arrayClass)?.(NOTHING).BYTES_PER_ELEMENT ?? 0;
}

/**
 * Reads an array's numbers into the type of its class. MATLAB stores them in the smallest type that holds them all, so
 * that a double may come as bytes; a number that its class cannot hold means that the file is damaged.
 */
export function readNumbers(
  source: MatBytes,
  element: MatElement,
  arrayClass: number,
  length: number,
  name: string,
): MatNumbers {
  const place = placeIn(source, element.at);
  const makeStored = STORED.get(element.type);
  const make = CLASSES.get(arrayClass);
  if (makeStored === undefined || make === undefined) {
    failElement(place, `type ${element.type} is not a number type`);
  }
  const storedBytes = makeStored(NOTHING).BYTES_PER_ELEMENT;
  if (element.sizeBytes !== length * storedBytes) {
    failVariable(
      place,
      name,
      `has ${length} numbers of ${storedBytes} bytes by its shape, but ${element.sizeBytes} bytes of data`,
    );
  }
  const stored = makeStored(copyInHostOrder(source, element, storedBytes));
  const empty = make(NOTHING);
  if (empty.constructor === stored.constructor) return stored;
  const numbers = make(new ArrayBuffer(length * empty.BYTES_PER_ELEMENT));
  const wrong = convert(stored, numbers);
  if (wrong !== -1) failVariable(place, name, `has a number at index ${wrong} that its type cannot hold`);
  return numbers;
}

/** A copy, because a typed array must start at a multiple of its number's size. */
function copyInHostOrder(source: MatBytes, { start, sizeBytes }: MatElement, width: number): ArrayBuffer {
  const memory = new ArrayBuffer(sizeBytes);
  new Uint8Array(memory).set(source.bytes.subarray(start, start + sizeBytes));
  if (source.littleEndian === (endianness() === 'LE')) return memory;
  const bytes = Buffer.from(memory);
  if (width === 2) bytes.swap16();
  if (width === 4) bytes.swap32();
  if (width === 8) bytes.swap64();
  return memory;
}

/** @returns the index of the first number that does not fit into `numbers`, or -1 */
function convert(stored: MatNumbers, numbers: MatNumbers): number {
  if (isBig(numbers)) {
    for (let i = 0; i < stored.length; i++) {
      const value = stored[i]!;
      if (typeof value === 'number' && !Number.isSafeInteger(value)) return i;
      numbers[i] = BigInt(value);
      if (numbers[i] !== BigInt(value)) return i;
    }
    return -1;
  }
  if (isBig(stored)) {
    for (let i = 0; i < stored.length; i++) {
      numbers[i] = Number(stored[i]!);
      if (!Number.isSafeInteger(Number(stored[i]!)) || numbers[i] !== Number(stored[i]!)) return i;
    }
    return -1;
  }
  numbers.set(stored);
  // A double holds every number of up to 32 bits.
  if (numbers instanceof Float64Array) return -1;
  for (let i = 0; i < stored.length; i++) {
    if (numbers[i] !== stored[i] && !(Number.isNaN(numbers[i]) && Number.isNaN(stored[i]))) return i;
  }
  return -1;
}

function isBig(numbers: MatNumbers): numbers is BigInt64Array | BigUint64Array {
  return numbers instanceof BigInt64Array || numbers instanceof BigUint64Array;
}
