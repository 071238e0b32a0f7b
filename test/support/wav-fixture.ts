export const u16 = (...values: readonly number[]) =>
  Buffer.concat(values.map((value) => Buffer.of(value & 255, (value >> 8) & 255)));

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export interface WavFormat {
  readonly kind?: number;
  readonly channels?: number;
  readonly bits?: number;
  readonly rateHz?: number;
  /** Of one sample of all channels; default: what channels and bits give. */
  readonly frameBytes?: number;
}

export function fmt({
  kind = 1,
  channels = 1,
  bits = 16,
  rateHz = 16_000,
  frameBytes,
}: WavFormat = {}): Buffer {
  const each = frameBytes ?? (channels * bits) / 8;
  return Buffer.concat([u16(kind, channels), u32(rateHz), u32(rateHz * each), u16(each, bits)]);
}

/** A chunk, whose size the header may get wrong. */
export const chunk = (name: string, body: Uint8Array, size = body.length) =>
  Buffer.concat([Buffer.from(name), u32(size), body, Buffer.alloc(body.length & 1)]);

/** A file of chunks, whose size the header may get wrong. */
export function riff(chunks: readonly Uint8Array[], size?: number): Uint8Array {
  const body = Buffer.concat([Buffer.from('WAVE'), ...chunks]);
  return new Uint8Array(Buffer.concat([Buffer.from('RIFF'), u32(size ?? body.length), body]));
}

/** A WAV file. */
export const wav = (format: WavFormat, samples: Uint8Array) =>
  riff([chunk('fmt ', fmt(format)), chunk('data', samples)]);

export function float(bits: 32 | 64, ...values: readonly number[]): Buffer {
  const array = bits === 32 ? Float32Array.from(values) : Float64Array.from(values);
  return Buffer.from(array.buffer);
}
