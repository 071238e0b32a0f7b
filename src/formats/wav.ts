import { ReproError } from '../base/errors.ts';
import { latin1Text, quoteName } from '../base/text.ts';

/** A recording of sound. */
export interface Sound {
  /** Samples per second. */
  readonly rateHz: number;
  /** The mean of the channels; full scale is -1 to 1. */
  readonly samples: Float64Array;
}

/** How a sample is read, by format (1 PCM, 3 float) and bits. 8 bits are unsigned, all others signed. */
const ENCODINGS: Readonly<Record<string, (view: DataView, at: number) => number>> = {
  '1/8': (view, at) => (view.getUint8(at) - 128) / 0x80,
  '1/16': (view, at) => view.getInt16(at, true) / 0x8000,
  '1/24': (view, at) => (view.getInt16(at + 1, true) * 0x100 + view.getUint8(at)) / 0x800000,
  '1/32': (view, at) => view.getInt32(at, true) / 0x80000000,
  '3/32': (view, at) => view.getFloat32(at, true),
  '3/64': (view, at) => view.getFloat64(at, true),
};
const EXTENSIBLE = 0xfffe;

/** Floats may hold whole numbers of 32 bits that nobody has scaled; the square of a sum of such samples is finite. */
const LARGEST_SAMPLE = 0x1_0000_0000;
/** No recording has more, and memory for a window of it suffices. */
const HIGHEST_RATE_HZ = 1_000_000;

const DAMAGED = 'The file is cut off or damaged: get it again.';
/** Names of sound in another format, and what to do with it. */
export const OTHER_SOUND = /\.(?:mp3|flac|ogg|opus|m4a|aac|wma|aiff?)$/i;
export const CONVERT = 'Convert it to WAV with 16-bit PCM: ffmpeg -i FILE -ac 1 -ar 16000 out.wav';

/**
 * Reads a WAV file: RIFF chunks, little-endian, of which `fmt ` and `data` are used. A `data` chunk whose writer did not know its size goes to
 * the end of the file: the size is 2^32 - 1, or 0 where that of RIFF is wrong too.
 *
 * @param file name for messages
 * @throws {ReproError} `wav-format` for another file or encoding, `wav-truncated` for what is not all there, `wav-sample` for a number
 *   that is not finite, or huge; each with file and byte
 * @see Microsoft, Multimedia Programming Interface and Data Specifications 1.0, 1991
 */
export function decodeWav(bytes: Uint8Array, file: string): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (code: string, at: number, what: string, fix = DAMAGED): never => {
    throw new ReproError(code, `${what}.`, { where: `${file}: byte ${at}`, fix });
  };
  const text = (from: number, to: number) => latin1Text(bytes.subarray(from, to));
  if (text(0, 4) !== 'RIFF' || text(8, 12) !== 'WAVE')
    fail('wav-format', 0, `the file starts with ${quoteName(text(0, 12))}, expected RIFF and WAVE`, CONVERT);
  let format: ReturnType<typeof readFormat> | undefined;
  for (let at = 12; ; ) {
    const [name, from] = [text(at, at + 4), at + 8];
    if (from > bytes.length) fail('wav-truncated', at, 'the file ends before its chunks fmt and data');
    const size = view.getUint32(at + 4, true);
    const isOpen = size === 2 ** 32 - 1 || (size === 0 && view.getUint32(4, true) + 8 !== bytes.length);
    const end = name === 'data' && isOpen ? bytes.length : from + size;
    const there = bytes.length - from;
    if (end > bytes.length)
      fail('wav-truncated', at, `the chunk ${quoteName(name)} has ${there} bytes, expected ${size}`);
    if (name === 'fmt ') format = readFormat(view, from, size, fail);
    else if (name === 'data') {
      if (format === undefined) return fail('wav-format', at, 'the chunk data comes before fmt');
      const { frameBytes, rateHz } = format;
      if (!isOpen && size % frameBytes !== 0)
        fail('wav-truncated', end, `${size} bytes are not whole samples of ${frameBytes} bytes`);
      const samples = new Float64Array(Math.floor((end - from) / frameBytes));
      for (let i = 0; i < samples.length; i++) {
        samples[i] = format.sampleAt(from + i * frameBytes);
        if (!(Math.abs(samples[i]!) <= LARGEST_SAMPLE)) {
          const what = `sample ${i} is ${samples[i]}, expected a number from -1 to 1, or not far beyond`;
          fail('wav-sample', from + i * frameBytes, what);
        }
      }
      return { rateHz, samples };
    }
    at = end + (size & 1);
  }
}

/** Writes a WAV file of one channel, 16 bits. @param samples full scale is -1 to 1; what is beyond is cut */
export function encodeWav(rateHz: number, samples: Float32Array): Uint8Array<ArrayBuffer> {
  const size = 2 * samples.length;
  const bytes = new Uint8Array(44 + size);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(`RIFF${' '.repeat(4)}WAVEfmt ${' '.repeat(20)}data`));
  // Two fields in one: PCM and one channel; samples of 2 bytes and 16 bits.
  const fields = { 4: 36 + size, 16: 16, 20: 0x1_0001, 24: rateHz, 28: 2 * rateHz, 32: 0x10_0002, 40: size };
  for (const [at, value] of Object.entries(fields)) view.setUint32(Number(at), value, true);
  for (const [i, sample] of samples.entries())
    view.setInt16(44 + 2 * i, Math.max(-0x8000, Math.min(0x7fff, Math.round(0x8000 * sample))), true);
  return bytes;
}

type Fail = (code: string, at: number, what: string, fix?: string) => never;

function readFormat(view: DataView, at: number, size: number, fail: Fail) {
  if (size < 16) fail('wav-format', at, `the chunk fmt has ${size} bytes, expected 16 or more`);
  const field = (from: number) => view.getUint16(at + from, true);
  const [channels, frameBytes, bits] = [field(2), field(12), field(14)];
  const rateHz = view.getUint32(at + 4, true);
  const isExtensible = field(0) === EXTENSIBLE && size >= 40;
  const kind = field(isExtensible ? 24 : 0);
  const read = ENCODINGS[`${kind}/${bits}`];
  if (read === undefined) {
    const what = `the samples have format ${kind} and ${bits} bits, expected 1 (PCM) and 8, 16, 24 or 32, or 3 (float) and 32 or 64`;
    return fail('wav-format', at, what, CONVERT);
  }
  const isRate = rateHz > 0 && rateHz <= HIGHEST_RATE_HZ;
  if (frameBytes === 0 || !isRate || frameBytes !== (channels * bits) / 8) {
    const what = `${channels} channels of ${bits} bits in ${frameBytes} bytes, ${rateHz} times a second, cannot be`;
    fail('wav-format', at, what);
  }
  const sampleAt = (from: number) => {
    let sum = 0;
    for (let byte = 0; byte < frameBytes; byte += bits / 8) sum += read(view, from + byte);
    return sum / channels;
  };
  return { rateHz, frameBytes, sampleAt };
}
