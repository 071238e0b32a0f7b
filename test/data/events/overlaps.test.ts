import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cutAedat3 } from '../../../src/data/events/aedat3-clips.ts';
import { decodeAedat3 } from '../../../src/data/events/aedat3-parser.ts';
import { placeSpans } from '../../../src/data/events/clips.ts';
import { sliceEvents } from '../../../src/data/events/events.ts';
import { integrateFrames } from '../../../src/data/events/frames.ts';
import { parseLabels } from '../../../src/data/events/labels.ts';
import { openCaseFolder } from '../../../src/exchange/parity/given-case.ts';
import { readSafetensors } from '../../../src/formats/safetensors.ts';
import { findEventAddon } from '../../../src/network/addon/event-addon.ts';
import { OVERLAPS } from '../../../src/results/thesis/compat.ts';
import { listFailures, runFolder } from '../../exchange/parity/case-folders.ts';

const golden = new URL('../../golden/overlap/', import.meta.url);
const read = (name: string) => new Uint8Array(readFileSync(new URL(name, golden)));
const bytes = read('recording.aedat');
const { labels, warnings } = parseLabels(new TextDecoder().decode(read('recording_labels.csv')), {
  file: 'recording_labels.csv',
  classes: 11,
});
const sensor = { height: 128, width: 128 };

/** Index of the first event and one past the last of each clip, by make_overlap.py. */
function expectedClips(overlaps: string): number[][] {
  const { tensors } = readSafetensors(read(`segments_${overlaps}.safetensors`));
  return labels.map((_, i) => Array.from(tensors.get(`segment_${i}`)!.data, Number).slice(1));
}

describe('a recording whose labels overlap', () => {
  test('is cut by both rules into the clips of make_overlap.py', async () => {
    expect(warnings).toHaveLength(3);
    const folder = await openCaseFolder(fileURLToPath(golden));
    const outcomes = await runFolder(folder);
    expect(listFailures(outcomes)).toEqual([]);
    expect(outcomes.map(({ name, passed }) => [name, passed])).toEqual([
      ['segments_both', true],
      ['segments_earlier', true],
    ]);
    expect(expectedClips('both')).not.toEqual(expectedClips('earlier'));
  });

  test.each(
    OVERLAPS.flatMap((overlaps) => [
      [overlaps, 'TypeScript', null] as const,
      ...(findEventAddon() === null ? [] : [[overlaps, 'the addon', findEventAddon()] as const]),
    ]),
  )('has, with %s, the frames of those clips in %s', (overlaps, _, addon) => {
    const { events } = decodeAedat3(bytes, { file: 'recording.aedat', sensor });
    const options = { file: 'recording.aedat', sensor, addon };
    const { clips } = cutAedat3(bytes, placeSpans(labels, overlaps), options);
    const layout = { steps: 3, splitBy: 'number', downsample: 1, sensor } as const;
    for (const [i, [from, to]] of expectedClips(overlaps).entries()) {
      const expected = new Uint8Array(3 * 2 * 128 * 128);
      integrateFrames(sliceEvents(events, from!, to!), layout, expected);
      const found = new Uint8Array(expected.length);
      clips[i]!.integrate(layout, found);
      expect(clips[i]!.count).toBe(to! - from!);
      expect(Buffer.compare(found, expected)).toBe(0);
    }
  });

  test('leaves an empty clip where earlier rows have everything, and a later row its whole segment', () => {
    const spans = [
      { startUs: 10, endUs: 50 },
      { startUs: 20, endUs: 30 },
      { startUs: 40, endUs: 60 },
      { startUs: 60, endUs: 70 },
    ];
    expect(placeSpans(spans, 'earlier')).toEqual([
      { startUs: 10, endUs: 50 },
      { startUs: 30, endUs: 30 },
      { startUs: 50, endUs: 60 },
      { startUs: 60, endUs: 70 },
    ]);
    expect(placeSpans(spans, 'both')).toBe(spans);
  });
});
