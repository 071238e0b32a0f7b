import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { type Events, makeEvents } from '../../../src/data/events/events.ts';
import { decodeNpyEvents, guessNpySettings, type NpySettings } from '../../../src/data/events/npy-events.ts';
import { decodeRecording } from '../../../src/data/events/recording.ts';
import { expectReadOrRefused } from '../../support/damaged-bytes.ts';

const fixtures = new URL('../../fixtures/formats/', import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, fixtures)));
const expected = JSON.parse(readFileSync(new URL('expected.json', fixtures), 'utf8'))['asl-dvs.mat'];
const sensor = { height: 180, width: 240 };
const XYPT = { columns: ['x', 'y', 'p', 't'] } as const;

/** A `.npy` with this header, as Python writes it, and data. */
function npy(descr: string, shape: string, data: Uint8Array | ArrayBuffer, order = 'False'): Uint8Array {
  const text = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const length = Math.ceil((text.length + 11) / 64) * 64;
  const head = Buffer.from(`\x93NUMPY\x01\x00\0\0${text.padEnd(length - 11)}\n`, 'latin1');
  head.writeUInt16LE(length - 10, 8);
  return new Uint8Array(Buffer.concat([head, new Uint8Array(data)]));
}

/** A plain array [N, 4] of doubles. */
const plain = (rows: readonly (readonly number[])[]) =>
  npy("'<f8'", `(${rows.length}, 4)`, Float64Array.from(rows.flat()).buffer);

/** Rows of x, y, p, t. */
const events = (rows: readonly (readonly number[])[]): Events => ({
  tUs: Float64Array.from(rows, (row) => row[3]!),
  x: Uint16Array.from(rows, (row) => row[0]!),
  y: Uint16Array.from(rows, (row) => row[1]!),
  p: Uint8Array.from(rows, (row) => row[2]!),
});

const decode = (bytes: Uint8Array, settings?: NpySettings) =>
  decodeNpyEvents(bytes, 'a.npy', { sensor, npy: settings }).events;
const ROWS = [
  [239, 3, 1, 40],
  [7, 179, 0, 42],
];

describe('events that Python wrote', () => {
  test('are read from fields with gaps, and from a compressed .npz with seconds', () => {
    const { t, x, y, p } = expected;
    const wanted = events(t.map((tUs: number, i: number) => [x[i], y[i], p[i], tUs]));
    expect(decode(read('events.npy'))).toEqual(wanted);
    expect(decode(read('events.npz'), { timeUnit: 's' })).toEqual(wanted);
    expect([guessNpySettings(read('events.npy'), 'a'), guessNpySettings(read('events.npz'), 'a')]).toEqual([
      {},
      { timeUnit: 's' },
    ]);
  });

  test('may have fields of every type, of both byte orders', () => {
    const types = {
      b1: 'setUint8',
      i1: 'setInt8',
      u1: 'setUint8',
      i2: 'setInt16',
      u2: 'setUint16',
      i4: 'setInt32',
      u4: 'setUint32',
      i8: 'setBigInt64',
      u8: 'setBigUint64',
      f4: 'setFloat32',
      f8: 'setFloat64',
    } as const;
    for (const [type, set] of Object.entries(types)) {
      for (const order of ['<', '>']) {
        // Time first: 1 fits even in a bool.
        const size = Number(type[1]);
        const view = new DataView(new ArrayBuffer(size + 3));
        if (set === 'setBigInt64' || set === 'setBigUint64') view[set](0, 1n, order === '<');
        else view[set](0, 1, order === '<');
        for (const [i, value] of [2, 1, 3].entries()) view.setUint8(size + i, value);
        const descr = `[('ts', '${order}${type}'), ('x', '|u1'), ('pol', '|b1'), ('y', '|u1')]`;
        expect(decode(npy(descr, '(1,)', view.buffer)), order + type).toEqual(events([[2, 3, 1, 1]]));
      }
    }
  });

  test('may be a plain array in any order of columns, in C or Fortran order', () => {
    expect(decode(plain(ROWS), XYPT)).toEqual(events(ROWS));
    const columns = Uint16Array.from([40, 42, 1, 0, 3, 179, 239, 7]);
    const fortran = npy("'<u2'", '(2, 4)', columns.buffer, 'True');
    expect(decode(fortran, { columns: ['t', 'p', 'y', 'x'] })).toEqual(events(ROWS));
    expect(decode(npy("'<f8'", '(0, 4)', new ArrayBuffer(0)), XYPT)).toEqual(makeEvents(0));
  });

  test('may be the only array of an .npz, stored or deflated', () => {
    for (const level of [0, 9] as const) {
      expect(decode(zipSync({ 'arr_0.npy': plain(ROWS) }, { level }), XYPT)).toEqual(events(ROWS));
    }
  });

  test('have polarities -1 and 1, and times rounded to µs', () => {
    const bytes = plain([
      [1, 2, -1, 0.0000004],
      [1, 2, 1, 0.0012346],
    ]);
    const wanted = (...times: number[]) => events(times.map((tUs, i) => [1, 2, i, tUs]));
    expect(decode(bytes, { ...XYPT, timeUnit: 's' })).toEqual(wanted(0, 1235));
    expect(decode(bytes, { ...XYPT, timeUnit: 'ms' })).toEqual(wanted(0, 1));
    const { warnings } = decodeNpyEvents(plain(ROWS.toReversed()), 'a.npy', { sensor, npy: XYPT });
    expect(warnings).toEqual(['a.npy: event 1  goes back in time.']);
  });

  test.each<[string, Uint8Array, NpySettings | undefined, string, RegExp]>([
    ['no names of columns', plain(ROWS), undefined, 'npy-columns', /four columns have no names\.$/],
    [
      'x outside the sensor',
      plain([[240, 0, 0, 0]]),
      XYPT,
      'npy-event',
      /^event 0 is at x 240, y 0, outside/,
    ],
    [
      'half a pixel',
      plain([[1, 0.5, 0, 0]]),
      XYPT,
      'npy-event',
      /at x 1, y 0\.5, outside the sensor's 240 x 180/,
    ],
    [
      'another polarity',
      plain([...ROWS, [1, 1, 2, 9]]),
      XYPT,
      'npy-event',
      /^event 2 has the polarity 2, expected 0 or 1/,
    ],
    [
      'three polarities',
      plain([...ROWS, [1, 1, -1, 9]]),
      XYPT,
      'npy-event',
      /^event 1 has the polarity 0, expected -1 or 1/,
    ],
    [
      'a negative time',
      plain([[1, 1, 1, -1]]),
      XYPT,
      'npy-event',
      /has the time -1, which is not a whole number of µs >= 0/,
    ],
    ['fractions of µs', plain([[1, 1, 1, 0.5]]), XYPT, 'npy-event', /has the time 0\.5/],
    [
      'no number',
      plain([[1, 1, 1, Number.NaN]]),
      { ...XYPT, timeUnit: 's' },
      'npy-event',
      /has the time NaN/,
    ],
    [
      'a missing field',
      npy("[('x', '|u1'), ('y', '|u1'), ('p', '|u1')]", '(0,)', new ArrayBuffer(0)),
      undefined,
      'npy-columns',
      /^it has no t, ts, time, timestamp, only "?x/,
    ],
    [
      'one list',
      npy("'<f8'", '(1,)', new ArrayBuffer(8)),
      XYPT,
      'npy-columns',
      /^it has no x, only a list without a name/,
    ],
    [
      'Python objects',
      npy("'|O'", '(2, 4)', new Uint8Array(9)),
      XYPT,
      'npy',
      /^its element type '\|O' is not supported/,
    ],
    ['text', npy("'<U1'", '(1, 4)', new Uint8Array(16)), XYPT, 'npy', /type U1 is not supported/],
    [
      'nested fields',
      npy("[('x', [('a', '<i2')])]", '(1,)', new Uint8Array(2)),
      XYPT,
      'npy',
      /^its (?:header cannot be parsed|element type)/,
    ],
    [
      'five columns',
      npy("'<f8'", '(1, 5)', new ArrayBuffer(40)),
      XYPT,
      'npy',
      /shape is \[1, 5\], expected \[N, 4\]/,
    ],
    ['a cut', plain(ROWS).subarray(0, -1), XYPT, 'npy', /claims 192 bytes in all, but the file has 191/],
    [
      'an .npz that is cut',
      read('events.npz').subarray(0, -9),
      undefined,
      'npy',
      /^it is cut off or damaged/,
    ],
    [
      'an .npz with other arrays',
      zipSync({ 'a.npy': plain(ROWS), 'b.npy': plain(ROWS) }),
      XYPT,
      'npy-columns',
      /^it has no x, only "?a"?, "?b/,
    ],
    [
      'lists of unequal length',
      zipSync(
        Object.fromEntries(
          ['x', 'y', 'ts', 'p'].map((name, i) => [`${name}.npy`, npy("'|u1'", `(${i},)`, new Uint8Array(i))]),
        ),
      ),
      undefined,
      'npy-columns',
      /^x, y, t and p have 0, 1, 2, 3 numbers/,
    ],
    [
      'lists that are tables',
      zipSync(Object.fromEntries(['x', 'y', 'ts', 'p'].map((name) => [`${name}.npy`, plain(ROWS)]))),
      undefined,
      'npy',
      /^its shape is not \[N\]/,
    ],
  ])('with %s are refused', (_, bytes, settings, code, message) => {
    expect(() => decode(bytes, settings)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message), fix: expect.any(String) }),
    );
  });

  test('in an .npz that unpacks to more than the limit are refused before they are unpacked', () => {
    const zip = zipSync({ 'a.npy': plain(ROWS) });
    // The unpacked size is at byte 24 of the entry in the directory, which starts with PK 1 2.
    const view = new DataView(zip.buffer);
    const entry = Buffer.from(zip).indexOf('PK\x01\x02');
    view.setUint32(entry + 24, 3e8, true);
    expect(() => decode(zip, XYPT)).toThrow('unpacked, it would have 300 MB, expected at most 268 MB.');
  });

  test.each([['events.npy'], ['events.npz']])('are read or refused with any byte changed: %s', (name) => {
    expectReadOrRefused(
      read(name),
      (bytes) => decode(bytes, { timeUnit: 's' }),
      ({ x, y, p, tUs }) => {
        expect(x.every((value) => value < 240) && y.every((value) => value < 180)).toBe(true);
        expect(p.every((value) => value <= 1) && tUs.every(Number.isSafeInteger)).toBe(true);
      },
    );
  });
});

describe('guessing the columns of a plain array', () => {
  // t hardly grows in seconds, but x and y often decrease.
  const clip = Array.from({ length: 200 }, (_, i) => ({
    t: i === 150 ? 1000 * 149 - 5 : 1000 * i,
    x: (i * 37) % 128,
    y: (i * 53) % 100,
    p: i % 2,
  }));

  test.each<[string, NpySettings]>([
    ['xypt', { columns: ['x', 'y', 'p', 't'] }],
    ['txyp', { columns: ['t', 'x', 'y', 'p'] }],
    ['pxty', { columns: ['p', 'x', 't', 'y'] }],
  ])('finds %s, in µs and in seconds', (order, settings) => {
    const rows = (unit: number, off: number) =>
      clip.map(({ t, x, y, p }) => {
        const row: Readonly<Record<string, number>> = { t: t / unit, x, y, p: p === 0 ? off : 1 };
        return [...order].map((name) => row[name]!);
      });
    expect(guessNpySettings(plain(rows(1, 0)), 'a.npy')).toEqual(settings);
    expect(guessNpySettings(plain(rows(1e6, -1)), 'a.npy')).toEqual({ ...settings, timeUnit: 's' });
  });

  test.each([
    ['one event', [[1, 2, 1, 4]]],
    ['a column x of ones', clip.map(({ t, y, p }) => [1, y, p, t])],
    ['times that jump', clip.map(({ t, x, y, p }, i) => [x, y, p, i % 3 === 0 ? 0 : t])],
    ['two columns that grow alike', clip.map(({ t, y, p }) => [t, y, p, t])],
  ])('says that it cannot tell: %s', (_, rows) => {
    expect(() => guessNpySettings(plain(rows), 'a.npy')).toThrow(
      expect.objectContaining({ code: 'npy-columns', message: expect.stringContaining('which is which') }),
    );
  });

  test('lets a recording outside any data set be read, of the smallest sensor or the one expected', async () => {
    const rows = clip.map(({ t, x, y, p }) => [x % 30, y % 20, p, t]);
    const recording = await decodeRecording(plain(rows), 'a.npy');
    expect(recording).toMatchObject({ format: 'NumPy', sensor: { height: 34, width: 34 } });
    expect(recording.events).toEqual(events(rows));
    expect((await decodeRecording(plain(rows), 'a.npy', sensor)).sensor).toEqual(sensor);
    expect((await decodeRecording(read('events.npz'), 'events.npz')).sensor).toEqual(sensor);
  });
});
