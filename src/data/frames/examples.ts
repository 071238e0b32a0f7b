import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { openNpy } from '../../formats/npy-file.ts';
import { CLIP_EXAMPLES, type ClipExample, writeClipExamples } from '../../results/clip-examples.ts';
import { FRAME_CACHE_FILES, parseClipIndex } from '../../results/clip-index.ts';

/**
 * Copies the first test clip of each class from a frame cache into its folder `examples/`, so that the report need not read the rest.
 *
 * @param folder with the files in `FRAME_CACHE_FILES`
 */
export async function writeExamples(folder: string): Promise<void> {
  const file = path.join(folder, FRAME_CACHE_FILES.index);
  const index = parseClipIndex(await readFile(file, 'utf8'), file);
  const { dataset, simulated, classes, images, splits } = index;
  const { steps, durationUs } = index.frames;
  const reader = await openNpy(path.join(folder, FRAME_CACHE_FILES.test));
  try {
    const examples: ClipExample[] = [];
    for (const label of classes.keys()) {
      const row = splits.test.findIndex((clip) => clip.class === label);
      const clip = splits.test[row];
      if (clip === undefined) continue;
      const data = await reader.readRows([row]);
      if (!(data instanceof Uint8Array || data instanceof Uint16Array || data instanceof Uint32Array)) {
        throw new TypeError(`${FRAME_CACHE_FILES.test} holds ${reader.dtype}, not counts`);
      }
      const { recording, user, light, startUs, events } = clip;
      // Frames of a fixed duration leave out what comes after the last one, and so do the events counted here.
      const endUs =
        durationUs === undefined || clip.endUs === null || startUs === null
          ? clip.endUs
          : Math.min(clip.endUs, startUs + steps * durationUs);
      const frames = { shape: reader.shape.slice(1), data };
      examples.push({ class: label, recording, user, light, startUs, endUs, events, frames });
    }
    const kind = images === undefined ? 'events' : 'images';
    await writeClipExamples(path.join(folder, CLIP_EXAMPLES.folder), {
      dataset,
      simulated,
      kind,
      classes,
      examples,
    });
  } finally {
    await reader.close();
  }
}
