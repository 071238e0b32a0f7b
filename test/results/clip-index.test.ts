import { describe, expect, test } from 'vitest';
import { type ClipIndex, formatClipIndex, parseClipIndex } from '../../src/results/clip-index.ts';

const gesture = {
  recording: 'user01_led.aedat',
  user: 1,
  light: 'led',
  trial: 3,
  class: 1,
  startUs: 1000,
  endUs: 2000,
  events: 12,
};
const digit = { ...gesture, recording: 'Test/0/00001.bin', user: null, light: null, trial: null, class: 0 };
const index: ClipIndex = {
  dataset: 'dvs128-gesture',
  simulated: true,
  classes: ['clap', 'wave'],
  sensor: { height: 128, width: 128 },
  frames: {
    steps: 8,
    splitBy: 'time',
    downsample: 4,
    height: 32,
    width: 32,
    dtype: 'uint16',
    normalization: null,
  },
  splits: { train: [gesture, gesture], test: [digit] },
};

describe('clips.json', () => {
  test('is read back as it was written, with one clip per line', () => {
    const text = formatClipIndex(index);
    expect(parseClipIndex(text, 'clips.json')).toEqual(index);
    expect(text.split('\n').filter((line) => line.includes('"recording"'))).toHaveLength(3);
    expect(JSON.parse(text)).toEqual({ version: 1, ...index });
  });

  test('holds the duration of each frame if frames are normalised by it', () => {
    const frequency = {
      ...index,
      frames: { ...index.frames, steps: 2, normalization: 'frequency' as const },
      splits: { train: [{ ...gesture, durationsUs: [500, 0] }], test: [] },
    };
    const text = formatClipIndex(frequency);
    expect(parseClipIndex(text, 'clips.json')).toEqual(frequency);
    expect(() => parseClipIndex(text.replace('[500,0]', '[500]'), 'clips.json')).toThrow(
      '"splits.train[0].durationsUs" has 1 numbers for 2 frames',
    );
    expect(() => parseClipIndex(text.replace('[500,0]', '[500,"0"]'), 'clips.json')).toThrow(
      '"splits.train[0].durationsUs[1]": expected a number, found "0"',
    );
  });

  test.each<[string, string, string, string]>([
    ['another version', '"version": 1', '"version": 2', 'field "version": expected 1, found 2'],
    ['nothing about simulated data', '"simulated": true', '"simulate": true', '"simulated" is missing'],
    [
      'an unknown way to split',
      '"time"',
      '"size"',
      '"frames.splitBy": expected "number" or "time" or "duration" or "rows", found "size"',
    ],
    ['a class that does not exist', '"class":0', '"class":2', '"splits.test[0].class" is 2 of 2 classes'],
    ['invalid JSON', '"splits"', '', 'the file is not valid JSON'],
  ])('is refused with %s, naming file and field', (_, from, to, message) => {
    const text = formatClipIndex(index).replace(from, to);
    expect(() => parseClipIndex(text, 'a/clips.json')).toThrow(
      expect.objectContaining({
        code: 'frames-invalid',
        where: 'a/clips.json',
        message: expect.stringContaining(message),
      }),
    );
  });
});
