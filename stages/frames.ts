import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type FrameSettings, writeFrames } from '../src/datasets/frame-writer.ts';
import { findDataset } from '../src/datasets/registry.ts';
import { parseFields } from '../src/formats/fields.ts';
import { defineStage } from '../src/stage/define-stage.ts';

interface Params {
  readonly dataset: { readonly name: string };
  readonly frames: FrameSettings;
}

export default defineStage<Params>({
  summary: 'Cuts the recordings into clips and counts their events in frames.',
  async run(context) {
    const [verified, root, output] = [context.inputs[0]!, context.inputs[1]!, context.outputs[0]!];
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

/** What the cache must say of its data. */
async function readManifest(file: string, dataset: string): Promise<{ readonly simulated: boolean }> {
  const source = { file, code: 'frames', fix: 'Run `repro run verify --force`.' };
  const fields = parseFields(await readFile(file, 'utf8'), source);
  if (fields.text('dataset') !== dataset) fields.fail('dataset', `is not "${dataset}", as the profile says`);
  return { simulated: fields.flag('simulated') };
}
