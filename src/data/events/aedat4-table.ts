import { ReproError } from '../../base/errors.ts';
import { latin1Text } from '../../base/text.ts';

/** A position in an AEDAT 4 file; `inside` is set within a packet, and counts in its uncompressed bytes. */
export interface Aedat4Place {
  readonly file: string;
  /** Of the header or of the packet. */
  readonly byte: number;
  /** From 1; 0 for the header. */
  readonly packet: number;
  readonly inside?: number | undefined;
}

type Aedat4Code =
  | 'aedat4-header'
  | 'aedat4-packet'
  | 'aedat4-truncated'
  | 'aedat4-compression'
  | 'aedat4-event'
  | 'aedat4-size';

const DAMAGED = 'The file is cut off or damaged: copy it again, or record it again.';

export function failAedat4(
  code: Aedat4Code,
  place: Aedat4Place,
  what: string,
  fix = DAMAGED,
  cause?: unknown,
): never {
  throw new ReproError(code, `${what}.`, { where: `${place.file}: ${describePlace(place)}`, fix, cause });
}

/** Within the file. */
export function describePlace({ byte, packet, inside }: Aedat4Place): string {
  const place = packet === 0 ? `header, byte ${byte}` : `packet ${packet}, byte ${byte}`;
  return `${place}${inside === undefined ? '' : `, byte ${inside} of its contents`}`;
}

/** Of the size that precedes a flatbuffer; positions in it count from there. */
const PREFIX_BYTES = 4;
/** Before the first field's entry in a table's index. */
const INDEX_START = 4;

/**
 * The root table of a flatbuffer with its size in front. Every offset is checked: what reaches beyond the bytes is an error
 * that names the place.
 *
 * @see https://flatbuffers.dev/internals/
 */
export class FlatTable {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #place: Aedat4Place;
  readonly #table: number;

  /** @param identifier four letters after the root's offset */
  constructor(bytes: Uint8Array, identifier: string, place: Aedat4Place) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#place = place;
    this.#table = this.#check(() => PREFIX_BYTES + this.#view.getUint32(PREFIX_BYTES, true));
    const sizeBytes = this.#check(() => this.#view.getUint32(0, true));
    const thereBytes = bytes.length - PREFIX_BYTES;
    if (sizeBytes > thereBytes) this.#fail(`its contents claim ${sizeBytes} bytes, but have ${thereBytes}`);
    const found = latin1Text(bytes.subarray(8, 12));
    if (found !== identifier) {
      this.#fail(`its contents must be marked ${identifier}, not ${JSON.stringify(found)}`);
    }
  }

  int32(field: number, absent: number): number {
    return this.#read(field, (at) => this.#view.getInt32(at, true)) ?? absent;
  }

  /** A 64-bit number, exact below 2^53. */
  int64(field: number, absent: number): number {
    return this.#read(field, (at) => Number(this.#view.getBigInt64(at, true))) ?? absent;
  }

  text(field: number): string | null {
    const vector = this.vector(field, 1);
    return vector === null ? null : new TextDecoder().decode(vector.bytes);
  }

  /**
   * A vector's elements as a view of the bytes.
   *
   * @returns `at`: where they start, counted from the size prefix
   */
  vector(field: number, elementBytes: number): { readonly bytes: Uint8Array; readonly at: number } | null {
    return this.#read(field, (reference) => {
      const start = reference + this.#view.getUint32(reference, true);
      const at = start + 4;
      const end = at + this.#view.getUint32(start, true) * elementBytes;
      if (end > this.#bytes.length) throw new RangeError('a list beyond the bytes');
      return { bytes: this.#bytes.subarray(at, end), at };
    });
  }

  /** Reads a field; null if it is absent. */
  #read<T>(field: number, read: (at: number) => T): T | null {
    return this.#check(() => {
      const index = this.#table - this.#view.getInt32(this.#table, true);
      const entry = INDEX_START + 2 * field;
      if (entry + 2 > this.#view.getUint16(index, true)) return null;
      const offset = this.#view.getUint16(index + entry, true);
      return offset === 0 ? null : read(this.#table + offset);
    });
  }

  #check<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      // What a DataView throws beyond its bytes.
      if (!(error instanceof RangeError)) throw error;
      return this.#fail(`its contents of ${this.#bytes.length} bytes refer beyond their end`);
    }
  }

  #fail(what: string): never {
    failAedat4(this.#place.packet === 0 ? 'aedat4-header' : 'aedat4-packet', this.#place, what);
  }
}
