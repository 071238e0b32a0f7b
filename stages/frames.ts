import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Manifest } from '../src/datasets/dataset.ts';
import { type FrameSettings, writeFrames } from '../src/datasets/frame-cache.ts';
import { findDataset } from '../src/datasets/registry.ts';
import { ReproError } from '../src/errors.ts';
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

async function readManifest(file: string, dataset: string): Promise<Manifest> {
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest;
  if (manifest.version === 1 && manifest.dataset === dataset) return manifest;
  throw new ReproError('frames', `it describes "${manifest.dataset}", not "${dataset}".`, {
    where: file,
    fix: 'Run `repro run verify --force`.',
  });
}
