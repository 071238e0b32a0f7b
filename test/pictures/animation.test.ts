import { describe, expect, test } from 'vitest';
import { animation } from '../../src/pictures/animation.ts';
import { binClip } from '../../src/pictures/clip.ts';
import { contactSheet } from '../../src/pictures/contact-sheet.ts';
import { decodeGif, decodePng } from './decode.ts';

const noise = (steps: number, height: number, width: number) => ({
  shape: [steps, 2, height, width],
  data: Uint16Array.from(
    { length: steps * 2 * height * width },
    (_, i) => ((i * 7919) % 11) * ((i * 31) % 2),
  ),
});

describe('an animation', () => {
  test('shows the frames of the contact sheet one after the other, forever', () => {
    const clip = noise(6, 50, 90);
    const gif = decodeGif(animation(clip, { delayMs: 120 }));
    expect(gif).toMatchObject({ repeat: 0, delaysMs: Array(6).fill(120) });
    for (const [step, { width, height, rgba }] of gif.frames.entries()) {
      const sheet = decodePng(contactSheet(clip, { steps: [step] }).png);
      expect([width, height]).toEqual([sheet.width, sheet.height]);
      expect(Buffer.compare(rgba, sheet.rgba)).toBe(0);
    }
  });

  test('numbers the steps if there are several, and has a line at the top if asked', () => {
    const height = (steps: number, options: object = {}) =>
      decodeGif(animation(noise(steps, 200, 3), { delayMs: 50, ...options })).frames[0]?.height;
    expect(height(1)).toBe(208);
    expect(height(2)).toBe(231);
    expect(height(2, { caption: 'SIMULATED' })).toBe(258);
  });
});

describe('binning', () => {
  test('adds up the events of neighbouring pixels, and loses none', () => {
    // One step of 3 x 3 pixels: OFF 1 to 9, ON none but the last.
    const clip = {
      shape: [1, 2, 3, 3],
      data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 255),
    };
    const { shape, data } = binClip(clip, 2);
    expect(shape).toEqual([1, 2, 2, 2]);
    expect([...data]).toEqual([1 + 2 + 4 + 5, 3 + 6, 7 + 8, 9, 0, 0, 0, 255]);
    expect([...binClip(clip, 1).data]).toEqual([...clip.data]);
  });
});

test('an animation has room for pixels that do not compress', () => {
  let state = 1;
  const data = Uint8Array.from({ length: 2 * 2 * 120 * 90 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  const clip = { shape: [2, 2, 120, 90], data };
  const gif = decodeGif(animation(clip, { delayMs: 20 }));
  const sheet = decodePng(contactSheet(clip, { steps: [1] }).png);
  expect(Buffer.compare(gif.frames[1]!.rgba, sheet.rgba)).toBe(0);
});
