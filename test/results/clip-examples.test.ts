import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { decodeNpy, encodeNpy } from '../../src/formats/npy.ts';
import {
  type ClipExample,
  type ClipExamples,
  readClipExamples,
  writeClipExamples,
} from '../../src/results/clip-examples.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

const clap: ClipExample = {
  class: 0,
  recording: 'user24_led.aedat',
  user: 24,
  light: 'led',
  startUs: 1000,
  endUs: 2000,
  events: 10,
  // 2 steps of 1 x 2 pixels.
  frames: { shape: [2, 2, 1, 2], data: Uint32Array.of(1, 2, 0, 0, 3, 0, 0, 4) },
};
const wave: ClipExample = {
  ...clap,
  class: 2,
  events: 70_000,
  frames: { shape: [1, 2, 1, 1], data: Uint32Array.of(70_000, 0) },
};
const clips: ClipExamples = {
  dataset: 'dvs128-gesture',
  simulated: true,
  kind: 'events',
  classes: ['clap', 'none', 'wave'],
  examples: [clap, wave],
};
const image: ClipExample = {
  class: 0,
  recording: 'test-images',
  user: null,
  light: null,
  startUs: null,
  endUs: null,
  events: null,
  frames: { shape: [1, 3, 1, 1], data: Uint8Array.of(255, 0, 7) },
};
const images: ClipExamples = {
  dataset: 'images',
  simulated: false,
  kind: 'images',
  classes: ['cat'],
  examples: [image],
};

describe('examples of clips', () => {
  test('are read back as they were written, with counts in the smallest type that holds them', async () => {
    await writeClipExamples(path.join(folder, 'new/examples'), clips);
    expect(await readdir(path.join(folder, 'new/examples'))).toEqual(['00.npy', '02.npy', 'examples.json']);
    const read = await readClipExamples(path.join(folder, 'new/examples'));
    expect(read).toEqual({
      ...clips,
      examples: [
        { ...clap, frames: { ...clap.frames, data: Uint8Array.from(clap.frames.data) } },
        wave, // 70,000 needs uint32
      ],
    });
    const head = decodeNpy(await readFile(path.join(folder, 'new/examples/00.npy')));
    expect(head).toMatchObject({ dtype: 'uint8', shape: [2, 2, 1, 2] });
  });

  test('may be still images, without times and events', async () => {
    await writeClipExamples(folder, images);
    expect(await readClipExamples(folder)).toEqual(images);
  });

  test('are described in a file with one example per line', async () => {
    await writeClipExamples(folder, clips);
    const text = await readFile(path.join(folder, 'examples.json'), 'utf8');
    expect(text).toContain(
      '  {"class":0,"file":"00.npy","recording":"user24_led.aedat","user":24,"light":"led","startUs":1000,"endUs":2000,"events":10},\n',
    );
    expect(JSON.parse(text)).toMatchObject({ version: 1, kind: 'events', classes: clips.classes });
  });

  test.each<[string, string, string, string]>([
    ['another version', '"version": 1', '"version": 2', 'field "version": expected 1, found 2'],
    [
      'an unknown kind',
      '"events",',
      '"sounds",',
      'field "kind": expected "events" or "images", found "sounds"',
    ],
    ['a class that does not exist', '"class":2', '"class":3', 'field "examples[1].class" is 3 of 3 classes'],
    ['invalid JSON', '"kind"', '', 'the file is not valid JSON'],
  ])('are refused with %s, naming file and field', async (_, from, to, message) => {
    await writeClipExamples(folder, clips);
    const file = path.join(folder, 'examples.json');
    await writeFile(file, (await readFile(file, 'utf8')).replace(from, to));
    await expect(readClipExamples(folder)).rejects.toThrow(
      expect.objectContaining({
        code: 'results-invalid',
        where: file,
        message: expect.stringContaining(message),
        fix: expect.stringContaining('repro run frames --force'),
      }),
    );
  });

  test('are refused with a missing, truncated or foreign array, naming it', async () => {
    await writeClipExamples(folder, clips);
    const file = path.join(folder, '00.npy');
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -1));
    await expect(readClipExamples(folder)).rejects.toMatchObject({ code: 'npy', where: `${file}: byte 135` });
    await writeFile(
      file,
      encodeNpy({ dtype: 'float32', shape: [2, 2, 1, 2], data: Float32Array.from(clap.frames.data) }),
    );
    await expect(readClipExamples(folder)).rejects.toThrow(
      'it holds float32 [2, 2, 1, 2], expected whole numbers [T, 2, H, W]',
    );
    await writeFile(file, encodeNpy({ dtype: 'uint8', shape: [4, 1, 1, 2], data: new Uint8Array(8) }));
    await expect(readClipExamples(folder)).rejects.toThrow(
      'it holds uint8 [4, 1, 1, 2], expected whole numbers [T, 2, H, W]',
    );
    await rm(file);
    await expect(readClipExamples(folder)).rejects.toMatchObject({
      code: 'results-invalid',
      where: file,
      message: 'the file is missing',
    });
  });
});
