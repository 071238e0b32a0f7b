import { describe, expect, it } from 'vitest';
import type { Gallery } from '../../../src/report/page/document.ts';
import { describeClips } from '../../../src/report/sections/clips.ts';
import type { ClipExamples } from '../../../src/results/clip-examples.ts';
import { SPOKEN_DIGITS } from '../../support/datasets.ts';
import { decodePng } from '../pictures/decode.ts';
import { makeExample, makeExamples, makeResults } from '../result-values.ts';

function describeOf(examples: ClipExamples): { title: string; texts: string[]; gallery: Gallery } {
  const [section] = describeClips(makeResults({ examples }));
  const gallery = section?.blocks.flatMap((block) => (block.kind === 'gallery' ? [block.gallery] : []))[0];
  if (section === undefined || gallery === undefined) throw new Error('expected a section with a gallery');
  const texts = section.blocks.flatMap((block) => (block.kind === 'paragraph' ? [block.text.join('')] : []));
  return { title: section.title, texts, gallery };
}

describe('the section of clips', () => {
  it('shows a picture of each class, with its recording, events and rate', () => {
    const { title, gallery } = describeOf(makeExamples());
    expect(title).toBe('One clip of each class');
    expect(gallery.pictures.map(({ id, title }) => [id, title])).toEqual([
      ['00', 'wave'],
      ['01', 'clap'],
    ]);
    const [wave] = gallery.pictures;
    // 10 events in half a second.
    expect(wave?.details).toEqual([
      'user24_led.aedat, user 24, light led',
      '10 events in 0.50\u00a0s, 20 per second',
    ]);
    expect(wave?.alt).toBe(
      'A clip of the class wave: 3 steps, from left to right; 60.0\u00a0% of its events are ON.',
    );
    expect(gallery.legend).toHaveLength(3);
    expect(decodePng(wave?.png ?? new Uint8Array())).toMatchObject({
      width: wave?.width,
      height: wave?.height,
    });
  });

  it('shows a sensor of one row as time against column, with the first column at the bottom', () => {
    // Three steps of two columns: ON events in the first column at the first step, OFF in the second at the last one.
    const frames = { shape: [3, 2, 1, 2], data: Uint8Array.of(0, 0, 9, 0, 0, 0, 0, 0, 0, 9, 0, 0) };
    const { texts, gallery } = describeOf({ ...makeExamples(), examples: [makeExample({ frames })] });
    expect(texts[0]).toContain('its 3 steps from left to right, the sensor’s row upwards');
    const [picture] = gallery.pictures;
    const { width, height, at } = decodePng(picture!.png);
    const factor = Math.round(128 / 3);
    expect([width, height]).toEqual([4 + 3 * factor + 4, 4 + 2 * factor + 4]);
    const isRed = ([red, , blue]: readonly number[]) => red! > blue!;
    expect(isRed(at(10, height - 10))).toBe(true);
    expect(at(10, 10)).toEqual([255, 255, 255]);
    expect(isRed(at(width - 10, 10))).toBe(false);
    expect(at(width - 10, height - 10)).toEqual([255, 255, 255]);
  });

  it('says bands, louder and quieter of sound', () => {
    const frames = { shape: [3, 2, 1, 2], data: new Uint8Array(12).fill(1) };
    const examples = { ...makeExamples(), examples: [makeExample({ frames })] };
    const sound = JSON.stringify(describeClips({ examples, dataset: SPOKEN_DIGITS }));
    expect(sound).toMatch(/bands upwards.*band became louder.*became quieter/);
    const camera = JSON.stringify(describeClips(makeResults({ examples })));
    expect(camera).toMatch(/row upwards.*pixel became brighter.*became darker/);
    for (const text of ['pixel', 'brighter', 'darker']) expect(sound).not.toContain(text);
    for (const text of ['band', 'louder', 'quieter']) expect(camera).not.toContain(text);
  });

  it('shows still images as they are', () => {
    const image = makeExample({
      recording: 'test image 7',
      user: null,
      light: null,
      startUs: null,
      endUs: null,
      events: null,
      frames: { shape: [1, 3, 32, 32], data: new Uint8Array(3 * 32 * 32).fill(9) },
    });
    const { title, texts, gallery } = describeOf({ ...makeExamples(), kind: 'images', examples: [image] });
    expect([title, ...texts]).toEqual([
      'One image of each class',
      'The first test image of each class, enlarged.',
    ]);
    expect(gallery.legend).toEqual([]);
    expect(gallery.pictures[0]).toMatchObject({
      width: 128,
      details: ['test image 7'],
      alt: 'An image of the class wave.',
    });
  });

  it('is left out without test clips, and gives no rate for a clip of no duration', () => {
    expect(describeClips(makeResults({ examples: { ...makeExamples(), examples: [] } }))).toEqual([]);
    const moment = makeExample({ endUs: 1_000_000 });
    const { gallery } = describeOf({ ...makeExamples(), examples: [moment] });
    expect(gallery.pictures[0]?.details[1]).toBe('10 events');
  });
});
