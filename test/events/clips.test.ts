import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ClipCollector } from '../../src/events/clips.ts';
import { sliceEvents } from '../../src/events/events.ts';
import { parseLabels } from '../../src/events/labels.ts';
import { loadGolden } from '../support/golden.ts';
import { goldenEvents, goldenIntegers } from '../support/golden-events.ts';

test('the clips of the golden recording are the events that the original cuts out', () => {
  const text = readFileSync(new URL('../golden/recording_labels.csv', import.meta.url), 'utf8');
  const { labels } = parseLabels(text, { file: 'recording_labels.csv', classes: 11 });
  const events = goldenEvents('aedat_events');
  const collector = new ClipCollector(labels);
  events.tUs.forEach((tUs, i) => {
    collector.push(tUs, events.x[i]!, events.y[i]!, events.p[i]!);
  });
  const golden = loadGolden('aedat_segments');
  expect(collector.clips()).toHaveLength(4);
  for (const [i, clip] of collector.clips().entries()) {
    const [label, from, to] = goldenIntegers(golden, `segment_${i}`);
    expect(labels[i]!.class).toBe(label);
    expect(clip).toEqual(sliceEvents(events, from!, to!));
  }
});

test('overlapping spans share events, out-of-order events are found, and a span may be empty', () => {
  const collector = new ClipCollector([
    { startUs: 10, endUs: 20 },
    { startUs: 15, endUs: 30 },
    { startUs: 40, endUs: 50 },
  ]);
  for (const tUs of [9, 10, 30, 19, 15, 20, 29, 14]) collector.push(tUs, 1, 2, 0);
  expect(collector.clips().map((clip) => [...clip.tUs])).toEqual([[10, 19, 15, 14], [19, 15, 20, 29], []]);
});
