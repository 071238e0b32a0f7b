import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ReproError } from '../../../src/base/errors.ts';
import { decodeAedat2 } from '../../../src/data/events/aedat2.ts';
import { type Events, sliceEvents } from '../../../src/data/events/events.ts';
import { expectReadOrRefused } from '../../support/damaged-bytes.ts';

const fixtures = new URL('../../fixtures/formats/', import.meta.url);
const recording = readFileSync(new URL('cifar10-dvs.aedat', fixtures));
const expected = JSON.parse(readFileSync(new URL('expected.json', fixtures), 'utf8'))['cifar10-dvs.aedat'];
const sensor = { height: 128, width: 128 };
const HEADER_BYTES = recording.length - 40 * 8;
const header = Buffer.from('#!AER-DAT2.0\r\n# a line\r\n');

function eventsOf(columns: { t: number[]; x: number[]; y: number[]; p: number[] }): Events {
  return {
    tUs: Float64Array.from(columns.t),
    x: Uint16Array.from(columns.x),
    y: Uint16Array.from(columns.y),
    p: Uint8Array.from(columns.p),
  };
}

/** A file of [address, time] pairs. */
function fileOf(pairs: readonly (readonly [number, number])[], start: Buffer = header): Buffer {
  const body = Buffer.alloc(pairs.length * 8);
  for (const [i, [address, time]] of pairs.entries()) {
    body.writeUInt32BE(address >>> 0, i * 8);
    body.writeUInt32BE(time, i * 8 + 4);
  }
  return Buffer.concat([start, body]);
}

describe('reading AEDAT 2.0', () => {
  test('gives the events that the original’s masks give', () => {
    const { events, warnings } = decodeAedat2(recording, 'a.aedat', sensor);
    expect(events).toEqual(eventsOf(expected.original));
    expect(warnings).toEqual([]);
  });

  test('mirrors x, keeps y, and exchanges the polarities, worked by hand', () => {
    // y 5 in bits 8-14, x 3 in bits 1-7, polarity 1 in bit 0; then y 127, x 127, polarity 0.
    const { events } = decodeAedat2(
      fileOf([
        [0x0507, 10],
        [0x7ffe, 11],
      ]),
      'a.aedat',
      sensor,
    );
    expect(events).toEqual(eventsOf({ t: [10, 11], x: [124, 0], y: [5, 127], p: [0, 1] }));
  });

  test('reads a DAVIS’ addresses and leaves out frames and other events', () => {
    const pixel = (200 << 22) | (300 << 12) | (1 << 11);
    const bytes = fileOf([
      [pixel, 1],
      [pixel | 0x8000_0000, 2],
      [pixel | 0x400, 3],
      [0, 4],
    ]);
    const { events, warnings } = decodeAedat2(bytes, 'a.aedat', { height: 260, width: 346 });
    expect(events).toEqual(eventsOf({ t: [1, 4], x: [300, 0], y: [200, 0], p: [1, 0] }));
    expect(warnings).toEqual([]);
  });

  test('counts events with unknown address bits as the original does, with a warning', () => {
    const { events, warnings } = decodeAedat2(
      fileOf([
        [0, 1],
        [0x8000, 2],
        [0x8000_0000, 3],
      ]),
      'a.aedat',
      sensor,
    );
    expect(events.tUs).toHaveLength(3);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^a\.aedat: byte 32 {2}has address bits that .*\(the first of 2 such places\)\.$/,
      ),
    ]);
  });

  test.each([
    ['ch.unizh.ini.jaer.chip.retina.DVS128', [127, 40]],
    ['eu.seebetter.ini.chips.davis.Davis640', [18, 50]],
    ['eu.seebetter.ini.chips.sbret10.SBRet10', [18, 50]],
    // Only a DVS128 leaves the upper bits empty.
    ['ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1c', [18, 50]],
  ])('has the addresses of the camera that the header names: %s', (name, place) => {
    const bytes = (camera: string) =>
      fileOf([[0x0c81_2800, 7]], Buffer.from(`#!AER-DAT2.0\r\n# a line\r\n# AEChip: ${camera}\r\n`));
    const { events } = decodeAedat2(bytes(name), 'a.aedat', { height: 260, width: 346 });
    expect([events.x[0], events.y[0]]).toEqual(place);
    // CIFAR10-DVS as the original reads it.
    const { events: cifar } = decodeAedat2(bytes('unknown'), 'a.aedat', sensor);
    expect([cifar.x[0], cifar.y[0]]).toEqual([127, 40]);
  });

  test('goes on counting time where the clock becomes negative or starts again', () => {
    const times = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 0, 2 ** 32 - 2, 5, 2 ** 31 + 5, 1];
    const { events, warnings } = decodeAedat2(fileOf(times.map((time) => [0, time])), 'a.aedat', sensor);
    const period = 2 ** 32;
    expect([...events.tUs]).toEqual([
      2 ** 31 - 1,
      2 ** 31,
      period - 1,
      period,
      period - 2,
      period + 5,
      period + 2 ** 31 + 5,
      2 * period + 1,
    ]);
    expect(warnings).toEqual([
      expect.stringContaining('byte 48  the 32-bit clock starts again at 0'),
      expect.stringContaining('byte 56  goes back in time'),
    ]);
  });

  test('accepts time going backwards and a recording without events, with a warning', () => {
    expect(
      decodeAedat2(
        fileOf([
          [0, 9],
          [0, 7],
        ]),
        'a.aedat',
        sensor,
      ).warnings,
    ).toEqual(['a.aedat: byte 32  goes back in time.']);
    expect(decodeAedat2(header, 'a.aedat', sensor).warnings).toEqual([
      'a.aedat  contains no events: its clip is blank.',
    ]);
  });
});

describe('a damaged AEDAT 2.0 file', () => {
  const cases: [string, Uint8Array, string, string][] = [
    ['that is empty', new Uint8Array(0), 'aedat2-header', 'header, byte 0'],
    ['with another magic', Buffer.from('RIFF....'), 'aedat2-header', 'header, byte 0'],
    ['that is still zipped', Buffer.from('PK\x03\x04........'), 'aedat2-header', 'header, byte 0'],
    ['of another version', Buffer.from('#!AER-DAT3.1\r\n'), 'aedat2-header', 'header, byte 0'],
    ['with changed line ends', Buffer.from('#!AER-DAT2.0\n# a\n'), 'aedat2-header', 'header, byte 0'],
    [
      'with a header line without end',
      Buffer.from('#!AER-DAT2.0\r\n# a'),
      'aedat2-header',
      'header, byte 14',
    ],
    [
      'with an endless header',
      Buffer.from(`#!AER-DAT2.0\r\n#${'a'.repeat(2 ** 20)}\r\n`),
      'aedat2-header',
      'header, byte 14',
    ],
    [
      'cut off within an event',
      recording.subarray(0, -3),
      'aedat2-truncated',
      `byte ${recording.length - 8}`,
    ],
    ['with a pixel outside a smaller sensor', fileOf([[0, 1]]), 'aedat2-event', 'byte 24'],
  ];
  test.each(cases)('%s is rejected with its place and a fix', (_, bytes, code, where) => {
    expect(() => decodeAedat2(bytes, 'a.aedat', { height: 64, width: 64 })).toThrow(
      expect.objectContaining({
        code,
        where: expect.stringContaining(where),
        fix: expect.stringMatching(/\w\.$/),
      }),
    );
  });

  test('cut at any byte is an error, or cut between two events the events before', () => {
    const { events } = decodeAedat2(recording, 'a.aedat', sensor);
    for (let cut = 0; cut < recording.length; cut++) {
      const bytes = recording.subarray(0, cut);
      const count = (cut - HEADER_BYTES) / 8;
      if (Number.isInteger(count) && count >= 0) {
        expect(decodeAedat2(bytes, 'a.aedat', sensor).events).toEqual(sliceEvents(events, 0, count));
      } else if (cut >= 14 && recording[cut - 1] === 0x0a && cut < HEADER_BYTES) {
        expect(decodeAedat2(bytes, 'a.aedat', sensor).events.tUs).toHaveLength(0);
      } else {
        expect(() => decodeAedat2(bytes, 'a.aedat', sensor), `cut at ${cut}`).toThrow(ReproError);
      }
    }
  });

  test('with any byte changed is read, or rejected with a reason', () => {
    expectReadOrRefused(
      recording,
      (bytes) => decodeAedat2(bytes, 'a.aedat', sensor),
      ({ events }) => {
        expect(events.p.every((p) => p <= 1) && events.x.every((x) => x < 128)).toBe(true);
        expect(events.tUs.every((t) => Number.isSafeInteger(t) && t >= 0)).toBe(true);
      },
    );
  });
});
