import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type FrameSettings, writeFrames } from '../src/datasets/frame-writer.ts';
import { findDataset } from '../src/datasets/registry.ts';
import { parseFields } from '../src/formats/fields.ts';
import { defineStage } from '../src/stage/define-stage.ts';
import { requirePath } from '../src/stage/require-path.ts';

interface Params {
  readonly dataset: { readonly name: string };
  readonly frames: FrameSettings;
}

export default defineStage<Params>({
  summary: 'Cuts the recordings into clips and accumulates their events into frames.',
  async run(context) {
    const verified = requirePath(context.inputs, 0, 'verified data');
    const root = requirePath(context.inputs, 1, 'recordings');
    const output = requirePath(context.outputs, 0, 'frames');
    const dataset = findDataset(context.params.dataset.name);
    const manifest = await readManifest(path.join(verified, 'manifest.json'), dataset.name);
    const { splits, frames } = await writeFrames({
      dataset,
      root,
      output,
      simulated: manifest.simulated,
      settings: context.params.frames,
      signal: context.signal,
      progress: (done, total) => context.progress({ done, total, unit: dataset.recordingsNoun }),
      warn: context.warn,
    });
    const events = [...splits.train, ...splits.test].reduce((sum, clip) => sum + clip.events, 0);
    context.metrics({
      'clips.train': splits.train.length,
      'clips.test': splits.test.length,
      events,
      dtype: frames.dtype,
    });
  },
});

/** Whether the recordings are simulated, which the frames' index has to say. */
async function readManifest(file: string, dataset: string): Promise<{ readonly simulated: boolean }> {
  const source = { file, code: 'frames', fix: 'Run `repro run verify --force`.' };
  const fields = parseFields(await readFile(file, 'utf8'), source);
  if (fields.text('dataset') !== dataset) fields.fail('dataset', `is not the profile’s "${dataset}"`);
  return { simulated: fields.flag('simulated') };
}
