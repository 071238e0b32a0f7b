const MAGIC = 0x184d2204;
/** Bits of the frame's first byte. */
const [BLOCK_CHECKSUMS, CONTENT_SIZE, CONTENT_CHECKSUM, DICTIONARY] = [0x10, 0x08, 0x04, 0x01];

/**
 * Unpacks one LZ4 frame, checksums included. Plain TypeScript, because cameras write LZ4 by default and the report's page reads their files, too.
 *
 * @param limitBytes most bytes to unpack
 * @throws {RangeError} if the bytes are anything else than one frame, are damaged or cut off, or unpack to more
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, lz4_Block_format.md beside it
 */
export function unpackLz4(bytes: Uint8Array, limitBytes: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => {
    require(at + 4 <= bytes.length, 'it is cut off');
    return view.getUint32(at, true);
  };
  const [flags, sizes] = [bytes[4] ?? 0, bytes[5] ?? 0];
  require(word(0) === MAGIC && flags >> 6 === 1, 'it does not begin as a frame of LZ4');
  require((flags & DICTIONARY) === 0, 'it needs a dictionary');
  let at = flags & CONTENT_SIZE ? 14 : 6;
  requireChecksum((hashXx32(bytes.subarray(4, at)) >>> 8) & 0xff, bytes[at]);
  at += 1;
  // 64 KiB, 256 KiB, 1 MiB or 4 MiB.
  const blockBytes = 1 << (8 + 2 * ((sizes >> 4) & 7));
  let out = new Uint8Array(0);
  let length = 0;
  for (;;) {
    const size = word(at) & 0x7fffffff;
    const packed = word(at) >>> 31 === 0;
    at += 4;
    if (size === 0) break;
    require(at + size <= bytes.length, 'it is cut off');
    const block = bytes.subarray(at, at + size);
    if (length + blockBytes > out.length) {
      const grown = new Uint8Array(Math.min(limitBytes, Math.max(2 * out.length, length + blockBytes)));
      grown.set(out);
      out = grown;
    }
    length = packed ? unpackBlock(block, out, length) : copy(block, out, length);
    at += size;
    if (flags & BLOCK_CHECKSUMS) {
      requireChecksum(hashXx32(block), word(at));
      at += 4;
    }
  }
  const contents = out.subarray(0, length);
  if (flags & CONTENT_CHECKSUM) {
    requireChecksum(hashXx32(contents), word(at));
    at += 4;
  }
  require(at === bytes.length, 'more bytes follow it');
  return contents;
}

/** Appends what a block unpacks to; it may repeat what is before `to`. @returns the new end */
function unpackBlock(block: Uint8Array, out: Uint8Array, to: number): number {
  let at = 0;
  const readLength = (start: number): number => {
    let length = start;
    if (start === 15) {
      let more: number;
      do {
        more = block[at++] ?? 0;
        length += more;
      } while (more === 255);
    }
    return length;
  };
  for (;;) {
    const token = block[at++] ?? 0;
    const literals = readLength(token >> 4);
    require(at + literals <= block.length, 'it is damaged');
    to = copy(block.subarray(at, at + literals), out, to);
    at += literals;
    // The last sequence repeats nothing.
    if (at === block.length) return to;
    const distance = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const end = to + readLength(token & 15) + 4;
    require(distance > 0 && distance <= to, 'it is damaged');
    require(end <= out.length, 'it is damaged, or too much');
    for (; to < end; to++) out[to] = out[to - distance]!;
  }
}

function copy(from: Uint8Array, out: Uint8Array, to: number): number {
  require(to + from.length <= out.length, 'it is damaged, or too much');
  out.set(from, to);
  return to + from.length;
}

function requireChecksum(computed: number, stored: number | undefined): void {
  require(computed === stored, 'a checksum does not match');
}

function require(holds: boolean, otherwise: string): void {
  if (!holds) throw new RangeError(otherwise);
}

const [P1, P2, P3, P4, P5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];
const turn = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

/** xxHash of 32 bits with seed 0. @see https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */
function hashXx32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lanes = [P1 + P2, P2, 0, -P1];
  let at = 0;
  for (; at + 16 <= bytes.length; at += 16) {
    for (let i = 0; i < 4; i++) {
      lanes[i] = Math.imul(turn(lanes[i]! + Math.imul(view.getUint32(at + 4 * i, true), P2), 13), P1);
    }
  }
  const [a, b, c, d] = lanes as [number, number, number, number];
  let hash = bytes.length < 16 ? P5 : turn(a, 1) + turn(b, 7) + turn(c, 12) + turn(d, 18);
  hash += bytes.length;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(turn(hash + Math.imul(view.getUint32(at, true), P3), 17), P4);
  }
  for (; at < bytes.length; at++) hash = Math.imul(turn(hash + Math.imul(bytes[at]!, P5), 11), P1);
  hash = Math.imul(hash ^ (hash >>> 15), P2);
  hash = Math.imul(hash ^ (hash >>> 13), P3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
