import { ByteBuffer } from 'flatbuffers';
import { ReproError } from '../errors.ts';

/** Bytes in the table's vtable before its first field's entry, and of each entry. */
const VTABLE_START = 4;
const ENTRY_BYTES = 2;

/**
 * A table of a flatbuffer. The library's accessors do not check their bounds, so that a damaged offset would read as 0;
 * here every offset is checked before it is followed.
 */
export class FlatTable {
  readonly #buffer: ByteBuffer;
  readonly #place: Aedat4Place;
  readonly #table: number;

  private constructor(buffer: ByteBuffer, place: Aedat4Place, table: number) {
    this.#buffer = buffer;
    this.#place = place;
    this.#table = table;
  }

  /**
   * The root table of a size-prefixed flatbuffer.
   *
   * @param identifier four letters after the root's offset
   */
  static open(bytes: Uint8Array, identifier: string, place: Aedat4Place): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 12)
      failAedat4(codeOf(place), place, `${bytes.length} bytes are too few for its contents`);
    const sizeBytes = view.getUint32(0, true);
    if (sizeBytes > bytes.length - 4) {
      failAedat4(codeOf(place), place, `its contents claim ${sizeBytes} bytes, but have ${bytes.length - 4}`);
    }
    const found = Buffer.from(bytes.subarray(8, 12)).toString('latin1');
    if (found !== identifier) {
      failAedat4(
        codeOf(place),
        place,
        `its contents must be marked ${identifier}, not ${JSON.stringify(found)}`,
      );
    }
    const buffer = new ByteBuffer(bytes.subarray(4, 4 + sizeBytes));
    const table = new FlatTable(buffer, place, buffer.readUint32(0));
    table.#checkTable();
    return table;
  }

  int32(field: number, absent: number): number {
    const at = this.#find(field, 4);
    return at === null ? absent : this.#buffer.readInt32(at);
  }

  /** A 64-bit number, exact below 2^53. */
  int64(field: number, absent: number): number {
    const at = this.#find(field, 8);
    return at === null ? absent : this.#buffer.readInt32(at + 4) * 2 ** 32 + this.#buffer.readUint32(at);
  }

  /** @throws {ReproError} `aedat4-size` for more than `limitBytes` */
  text(field: number, limitBytes: number): string | null {
    const vector = this.vector(field, 1);
    if (vector === null) return null;
    const { bytes } = vector;
    if (bytes.length > limitBytes) {
      const [found, most] = [bytes.length, limitBytes].map((count) => count.toLocaleString('en-US'));
      failAedat4('aedat4-size', this.#place, `its text has ${found} bytes; at most ${most} are read`);
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  /**
   * A vector's elements as a view of the bytes that were opened.
   *
   * @returns `at`: where they start, counted from the size prefix
   */
  vector(field: number, elementBytes: number): { readonly bytes: Uint8Array; readonly at: number } | null {
    const reference = this.#find(field, 4);
    if (reference === null) return null;
    const all = this.#buffer.bytes();
    const start = reference + this.#buffer.readUint32(reference);
    this.#check(start, 4);
    const length = this.#buffer.__vector_len(reference);
    const first = this.#buffer.__vector(reference);
    if (length < 0) this.#fail(start, `a list of ${length >>> 0} elements`);
    this.#check(first, length * elementBytes);
    return { bytes: all.subarray(first, first + length * elementBytes), at: first + 4 };
  }

  /** Where a field is, or null if it is absent. */
  #find(field: number, sizeBytes: number): number | null {
    const offset = this.#buffer.__offset(this.#table, VTABLE_START + field * ENTRY_BYTES);
    if (offset === 0) return null;
    this.#check(this.#table + offset, sizeBytes);
    return this.#table + offset;
  }

  #checkTable(): void {
    this.#check(this.#table, 4);
    const vtable = this.#table - this.#buffer.readInt32(this.#table);
    this.#check(vtable, VTABLE_START);
    const vtableBytes = this.#buffer.readUint16(vtable);
    // The library reads this as a signed number.
    if (vtableBytes < VTABLE_START || vtableBytes > 0x7fff)
      this.#fail(vtable, `a table's index of ${vtableBytes} bytes`);
    this.#check(vtable, vtableBytes);
  }

  #check(at: number, sizeBytes: number): void {
    if (at < 0 || at + sizeBytes > this.#buffer.capacity()) this.#fail(at, `${sizeBytes} bytes`);
  }

  #fail(at: number, what: string): never {
    const all = this.#buffer.capacity();
    failAedat4(
      codeOf(this.#place),
      this.#place,
      `its contents of ${all} bytes refer to ${what} at byte ${at}`,
    );
  }
}

function codeOf(place: Aedat4Place): 'aedat4-header' | 'aedat4-packet' {
  return place.packet === 0 ? 'aedat4-header' : 'aedat4-packet';
}

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
