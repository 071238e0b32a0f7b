import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeAedat4 } from '../../../src/data/events/aedat4.ts';
import { describeSensor, makeAedat4, makePacket } from '../../support/aedat4-file.ts';

const fixtures = new URL('../../fixtures/formats/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, fixtures));
const KINDS = ['none', 'lz4', 'lz4-high', 'zstd', 'zstd-high'] as const;
const expected = JSON.parse(read('expected.json').toString())['davis.aedat4'];
const plain = read('davis-none.aedat4');

function packetsAt(bytes: Uint8Array): number {
  return 14 + 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(14, true);
}

/** The recording with bytes replaced. */
function patched(at: number, bytes: readonly number[], file: Uint8Array = plain): Buffer {
  const copy = Buffer.from(file);
  copy.set(bytes, at);
  return copy;
}

describe('reading AEDAT 4', () => {
  test.each(KINDS)('gives the events and the sensor of a recording, compression %s', async (kind) => {
    const { events, sensor, warnings } = await decodeAedat4(read(`davis-${kind}.aedat4`), 'a.aedat4');
    expect(events).toEqual({
      tUs: Float64Array.from(expected.t),
      x: Uint16Array.from(expected.x),
      y: Uint16Array.from(expected.y),
      p: Uint8Array.from(expected.p),
    });
    expect(sensor).toEqual({ height: 260, width: 346 });
    expect(warnings).toEqual([]);
  });

  test('reads the first of two streams of events, with a warning', async () => {
    const bytes = read('two-streams.aedat4');
    const first = await decodeAedat4(bytes, 'a.aedat4');
    expect([...first.events.tUs]).toEqual([5]);
    expect(first.sensor).toEqual({ height: 32, width: 64 });
    expect(first.warnings).toEqual([
      'a.aedat4  has 2 streams of events: 3 (filtered) is read, not 1 (events).',
    ]);
  });

  test('reads one event, worked by hand', async () => {
    // t = 2 * 2^32 + 3, x 7, y 2, polarity 1, and 3 bytes that are not used.
    const event = [3, 0, 0, 0, 2, 0, 0, 0, 7, 0, 2, 0, 1, 9, 9, 9];
    const vtable = [6, 0, 8, 0, 4, 0];
    const packet = Uint8Array.of(
      ...[48, 0, 0, 0, 16, 0, 0, 0, 0x45, 0x56, 0x54, 0x53, 0, 0],
      ...vtable,
      ...[6, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0],
      ...event,
    );
    const { events } = await decodeAedat4(makeAedat4({ packets: [packet] }), 'a.aedat4');
    expect(events).toEqual({
      tUs: Float64Array.of(2 ** 33 + 3),
      x: Uint16Array.of(7),
      y: Uint16Array.of(2),
      p: Uint8Array.of(1),
    });
  });

  test('accepts time going backwards, with a warning, and a recording without events', async () => {
    const bytes = makeAedat4({
      packets: [
        makePacket([[9n, 0, 0, 0]]),
        makePacket([
          [8n, 0, 0, 0],
          [7n, 0, 0, 0],
        ]),
      ],
    });
    expect((await decodeAedat4(bytes, 'a.aedat4')).warnings).toEqual([
      expect.stringMatching(
        /^a\.aedat4: packet 2, byte \d+, byte \d+ of its contents {2}goes back .*first of 2 such/,
      ),
    ]);
    expect((await decodeAedat4(makeAedat4({}), 'a.aedat4')).warnings).toEqual([
      'a.aedat4  contains no events: its clip is blank.',
    ]);
  });
});

describe('the information about the streams', () => {
  const withInfo = (info: string) => decodeAedat4(makeAedat4({ info }), 'a.aedat4');

  test.each(
    Object.entries<[info: string, message: string]>({
      'no list of streams': ['<dv version="2.0"></dv>', 'has no `outInfo`'],
      'text that is no XML': ['hello', 'has no `outInfo`'],
      'a node without end': [
        describeSensor(8, 4).replace('</node></dv>', '</dv>'),
        'a node that is not closed',
      ],
      'a stream that is no number': [
        describeSensor(8, 4).replace('name="0"', 'name="x"'),
        'a stream must be a whole number',
      ],
      'a size that is no number': [
        describeSensor(8, 4).replace('>8<', '>-8<'),
        'sizeX of stream 0 must be a whole number',
      ],
      'no size': [
        describeSensor(8, 4).replace('sizeX', 'size'),
        'the size (sizeX, sizeY) of stream 0 is missing',
      ],
      'an empty sensor': [
        describeSensor(8, 4).replace('>8<', '>0<'),
        'a sensor of 0 x 4 pixels is impossible',
      ],
      'no events': [
        describeSensor(8, 4).replace('EVTS', 'FRME'),
        'no stream of events; the streams are: 0 (FRME)',
      ],
      'a stream twice': [
        describeSensor(8, 4).replace('</node></node></dv>', '</node><node name="0"></node></node></dv>'),
        'lists stream 0 twice',
      ],
    }),
  )('with %s is rejected', async (_, [info, message]) => {
    await expect(withInfo(info)).rejects.toMatchObject({
      code: 'aedat4-header',
      message: expect.stringMatching(new RegExp(message.replace(/[().`]/g, '\\$&'))),
    });
  });
});

describe('a damaged AEDAT 4 file', () => {
  const start = packetsAt(plain);
  const cases: Readonly<Record<string, [bytes: Uint8Array, code: string, where: string]>> = {
    'that is empty': [new Uint8Array(0), 'aedat4-header', 'header, byte 0'],
    'with another magic': [Buffer.from('RIFF............'), 'aedat4-header', 'header, byte 0'],
    'of another version': [Buffer.from('#!AER-DAT3.1\r\n'), 'aedat4-header', 'header, byte 0'],
    'with changed line ends': [Buffer.from('#!AER-DAT4.0\n...'), 'aedat4-header', 'header, byte 0'],
    'cut off in its header': [plain.subarray(0, 100), 'aedat4-truncated', 'header, byte 14'],
    'without the mark of its header': [patched(22, [0x41]), 'aedat4-header', 'header, byte 14'],
    'of an unknown compression': [makeAedat4({ compression: 5 }), 'aedat4-header', 'header, byte 14'],
    'without information': [makeAedat4({ info: null }), 'aedat4-header', 'header, byte 14'],
    'with its table before the packets': [makeAedat4({ table: 20n }), 'aedat4-header', 'header, byte 14'],
    'with its table beyond its end': [
      makeAedat4({ table: 1n << 40n }),
      'aedat4-truncated',
      'header, byte 14',
    ],
    'with a packet of an unknown stream': [patched(start, [7]), 'aedat4-packet', `packet 1, byte ${start}`],
    'with a packet of a negative size': [
      patched(start + 7, [0x80]),
      'aedat4-packet',
      `packet 1, byte ${start}`,
    ],
    'with a huge packet': [patched(start + 7, [0x7f]), 'aedat4-truncated', `packet 1, byte ${start}`],
    'with another kind of contents': [
      patched(start + 16, [0x41]),
      'aedat4-packet',
      `packet 1, byte ${start}`,
    ],
    'with a pixel outside the sensor': [
      makeAedat4({
        packets: [
          makePacket([
            [1n, 7, 3, 1],
            [1n, 8, 0, 1],
          ]),
        ],
      }),
      'aedat4-event',
      'packet 1, byte',
    ],
    'with a negative x': [
      makeAedat4({ packets: [makePacket([[1n, -1, 0, 1]])] }),
      'aedat4-event',
      'packet 1',
    ],
    'with a negative time': [
      makeAedat4({ packets: [makePacket([[-1n, 0, 0, 1]])] }),
      'aedat4-event',
      'packet 1',
    ],
    'with a time of 2^53': [
      makeAedat4({ packets: [makePacket([[1n << 53n, 0, 0, 1]])] }),
      'aedat4-event',
      'packet 1',
    ],
    'with a packet that is not compressed as the header says': [
      makeAedat4({ compression: 1, packets: [makePacket([])] }),
      'aedat4-compression',
      'packet 1',
    ],
    'with zstd that is none': [
      makeAedat4({ compression: 3, packets: [makePacket([])] }),
      'aedat4-compression',
      'packet 1',
    ],
  };

  test.each(Object.entries(cases))(
    '%s is rejected with its place and a fix',
    async (_, [bytes, code, where]) => {
      await expect(decodeAedat4(bytes, 'a.aedat4')).rejects.toMatchObject({
        code,
        where: expect.stringContaining(where),
        fix: expect.stringMatching(/\w\.$/),
      });
    },
  );

  test('with a checksum that does not fit is rejected, whatever the compression', async () => {
    for (const kind of ['lz4-high', 'zstd-high']) {
      const file = read(`davis-${kind}.aedat4`);
      const at = packetsAt(file);
      const end = at + 8 + file.readInt32LE(at + 4);
      await expect(
        decodeAedat4(patched(end - 1, [file[end - 1]! ^ 1], file), 'a.aedat4'),
      ).rejects.toMatchObject({
        code: 'aedat4-compression',
      });
      // The library is not left in a state that spoils what comes after.
      await expect(decodeAedat4(file, 'a.aedat4')).resolves.toMatchObject({ sensor: { width: 346 } });
    }
  });

  /** Zstandard: 4 bytes of magic, a window of 128 KiB, no size, a block as it is, then blocks that repeat a byte 131,072 times. */
  const packZeros = (start: Uint8Array, count: number): Buffer => {
    const blocks = Array.from({ length: count }, (_, i) =>
      Buffer.from([i === count - 1 ? 0x03 : 0x02, 0, 0x10, 0]),
    );
    const head = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x38, (start.length << 3) & 0xff, start.length >> 5, 0];
    return Buffer.concat([Buffer.from(head), start, ...blocks]);
  };

  test('of some kB that unpacks to millions of events is rejected before they fill the memory', async () => {
    const events = (510 * 131_072) / 16;
    const start = Buffer.from(makePacket([]));
    const [size, count] = [start.readUInt32LE(0), start.length - 4];
    start.writeUInt32LE(size + 16 * events, 0);
    start.writeUInt32LE(events, count);
    const packet = packZeros(start, 510);
    const file = makeAedat4({ compression: 3, packets: [packet, packet] });
    expect(file.length).toBeLessThan(5000);
    await expect(decodeAedat4(file, 'a.aedat4')).rejects.toMatchObject({
      code: 'aedat4-size',
      where: expect.stringContaining('packet 2'),
    });
  });

  test('whose packet unpacks to more than a camera writes is rejected', async () => {
    const packets = [packZeros(new Uint8Array(), 600)];
    const reading = decodeAedat4(makeAedat4({ compression: 3, packets }), 'a.aedat4');
    await expect(reading).rejects.toMatchObject({
      code: 'aedat4-compression',
      message: expect.stringContaining('or more than 64 MiB'),
    });
  });
});
