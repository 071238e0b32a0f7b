import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeExamples } from '../src/datasets/frames/examples.ts';
import { type FrameSettings, PolarityTally, writeFrames } from '../src/datasets/frames/frame-writer.ts';
import { writeImages } from '../src/datasets/frames/image-writer.ts';
import { threadsOf } from '../src/datasets/reading/threads.ts';
import { findDataset } from '../src/datasets/registry.ts';
import { parseFields } from '../src/formats/fields.ts';
import { defineStage, requirePath } from '../src/stage/define-stage.ts';

interface Params {
  readonly dataset: { readonly name: string };
  readonly frames: FrameSettings | Pick<FrameSettings, 'limit'>;
}

export default defineStage<Params>({
  summary:
    'Cuts the recordings into clips and accumulates their events into frames; or collects still images.',
  async run(context) {
    const verified = requirePath(context.inputs, 0, 'verified data');
    const root = requirePath(context.inputs, 1, 'recordings');
    const output = requirePath(context.outputs, 0, 'frames');
    const dataset = findDataset(context.params.dataset.name);
    const manifest = await readManifest(path.join(verified, 'manifest.json'), dataset.name);
    const settings = context.params.frames;
    const tally = new PolarityTally();
    const options = {
      root,
      output,
      signal: context.signal,
      progress: (done: number, total: number) =>
        context.progress({ done, total, unit: dataset.recordingsNoun }),
    };
    const { splits, frames } =
      dataset.kind === 'images'
        ? await writeImages({ ...options, dataset, limit: settings.limit })
        : await writeFrames({
            ...options,
            dataset,
            simulated: manifest.simulated,
            settings: requireFrames(settings),
            threads: threadsOf(context),
            warn: context.warn,
            onClip: (split, counts) => tally.add(split, counts, requireFrames(settings).steps),
          });
    await writeExamples(output);
    const events = [...splits.train, ...splits.test].reduce((sum, clip) => sum + (clip.events ?? 0), 0);
    context.metrics({
      'clips.train': splits.train.length,
      'clips.test': splits.test.length,
      ...(dataset.kind === 'events' ? { events, ...tally.metrics() } : {}),
      dtype: frames.dtype,
    });
  },
});

/** The profile's schema requires them for event recordings. */
function requireFrames(settings: Params['frames']): FrameSettings {
  if ('steps' in settings) return settings;
  throw new RangeError('frames.steps is missing');
}

/** Whether the recordings are simulated, which the frames' index has to say. */
async function readManifest(file: string, dataset: string): Promise<{ readonly simulated: boolean }> {
  const source = { file, code: 'frames', fix: 'Run `repro run verify --force`.' };
  const fields = parseFields(await readFile(file, 'utf8'), source);
  if (fields.text('dataset') !== dataset) fields.fail('dataset', `is not the profile’s "${dataset}"`);
  return { simulated: fields.flag('simulated') };
}
