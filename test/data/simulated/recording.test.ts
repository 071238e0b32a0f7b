import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { MODEL_VERSION } from '../../../src/data/simulated/dataset.ts';
import {
  EventKeys,
  type SimulatedRecording,
  simulateRecording,
} from '../../../src/data/simulated/recording.ts';

const OPTIONS = { seed: 5, user: 2, light: 'fluorescent', gestureSeconds: 0.5 };
let recording: SimulatedRecording;

beforeAll(() => {
  recording = simulateRecording(OPTIONS);
});

test('another seed, user or light gives other events', () => {
  const [first, ...others] = [{}, { seed: 6 }, { user: 3 }, { light: 'led' }].map((over) => {
    const { tUs } = simulateRecording({ ...OPTIONS, ...over, gestureSeconds: 0.1 }).events;
    return createHash('sha256').update(new Uint8Array(tUs.buffer)).digest('hex');
  });
  for (const other of others) expect(other).not.toBe(first);
});

test('a seed means the same events on every machine, as long as the model’s version is the same', () => {
  const { events } = simulateRecording({ seed: 1, user: 1, light: 'fluorescent', gestureSeconds: 0.1 });
  const hash = createHash('sha256');
  for (const field of [events.tUs, events.x, events.y, events.p]) {
    hash.update(new Uint8Array(field.buffer, field.byteOffset, field.byteLength));
  }
  expect({ version: MODEL_VERSION, events: events.tUs.length, sha256: hash.digest('hex') }).toEqual({
    version: 1,
    events: 57814,
    sha256: 'dd9dac68fad268b6e959e0aee8eb0c3b26325fa0a5bf7308a63be243afe51404',
  });
});

test('twelve labels follow one another with pauses in between, class 8 twice', () => {
  const { labels, startUs, endUs } = recording;
  expect(labels.map((label) => label.class)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11]);
  let before = startUs;
  for (const label of labels) {
    expect(label.endUs - label.startUs).toBe(500_000);
    expect(label.startUs - before).toBeGreaterThanOrEqual(250_000);
    expect(label.startUs - before).toBeLessThan(400_000);
    before = label.endUs;
  }
  expect(endUs).toBeGreaterThan(before);
});

test('events are sorted, within the recording and on the sensor, with both polarities', () => {
  const { events, startUs, endUs } = recording;
  const counts = [0, 0];
  let before = startUs;
  let inside = true;
  for (let i = 0; i < events.tUs.length; i++) {
    const tUs = events.tUs[i]!;
    inside &&= tUs >= before && tUs < endUs && Number.isInteger(tUs);
    inside &&= events.x[i]! < 128 && events.y[i]! < 128 && events.p[i]! <= 1;
    counts[events.p[i]!]!++;
    before = tUs;
  }
  expect(inside).toBe(true);
  expect(Math.min(...counts)).toBeGreaterThan(0.25 * events.tUs.length);
});

test('a gesture produces thousands to tens of thousands of events per second', () => {
  const { events, labels } = recording;
  for (const { startUs, endUs } of labels) {
    const count = events.tUs.filter((tUs) => tUs >= startUs && tUs < endUs).length;
    const perSecond = (count * 1e6) / (endUs - startUs);
    expect(perSecond).toBeGreaterThan(2_000);
    expect(perSecond).toBeLessThan(60_000);
  }
});

test('a right hand wave appears on the left of the image, above shoulder height', () => {
  const { events, labels } = recording;
  const label = labels[1]!;
  let sides = 0;
  for (let i = 0; i < events.tUs.length; i++) {
    const tUs = events.tUs[i]!;
    if (tUs < label.startUs || tUs >= label.endUs || events.y[i]! > 60) continue;
    sides += events.x[i]! < 50 ? 1 : events.x[i]! > 78 ? -1 : 0;
  }
  expect(sides).toBeGreaterThan(500);
});

test('an unknown light is an error that names the known ones', () => {
  expect(() => simulateRecording({ ...OPTIONS, light: 'candle' })).toThrow(/no light "candle"/);
});

test('events come back by time, then row, column and polarity, with every field unchanged', () => {
  const keys = new EventKeys();
  keys.push(2000, 5, 9, 1);
  keys.push(1000, 127, 127, 1);
  keys.push(2000, 5, 9, 0);
  keys.push(2000, 0, 9, 1);
  keys.push(2000, 127, 8, 0);
  keys.push(2 ** 37, 1, 2, 0);
  const { tUs, x, y, p } = keys.sorted();
  expect(Array.from(tUs, (t, i) => [t, x[i], y[i], p[i]])).toEqual([
    [1000, 127, 127, 1],
    [2000, 127, 8, 0],
    [2000, 0, 9, 1],
    [2000, 5, 9, 0],
    [2000, 5, 9, 1],
    [2 ** 37, 1, 2, 0],
  ]);
});

test('more events than fit the initial buffer are all kept', () => {
  const keys = new EventKeys();
  const count = 70_000;
  for (let i = count; i > 0; i--) keys.push(i, i % 128, 3, i % 2);
  const { tUs, x } = keys.sorted();
  expect(tUs.length).toBe(count);
  expect([tUs[0], tUs[count - 1], x[0]]).toEqual([1, count, 1]);
});
