import path from 'node:path';
import { writeExamples } from '../src/data/frames/examples.ts';
import { PolarityTally } from '../src/data/frames/frame-rows.ts';
import type { FrameSettings, ImageSettings } from '../src/data/frames/frame-settings.ts';
import { writeFrames } from '../src/data/frames/frame-writer.ts';
import { writeImages } from '../src/data/frames/image-writer.ts';
import { openDataset } from '../src/data/open-dataset.ts';
import { threadsOf } from '../src/data/reading/threads.ts';
import { readDatasetFacts } from '../src/results/dataset-file.ts';
import { readManifest } from '../src/results/manifest.ts';
import { refuse } from '../src/results/result-file.ts';
import { readResultFile } from '../src/results/stage-files.ts';
import { defineStage, requireInput, requireOutput } from '../src/runner/stage/define-stage.ts';

interface Params {
  readonly frames: FrameSettings | ImageSettings;
}

export default defineStage<Params>({
  summary:
    'Cuts the recordings into clips and accumulates their events into frames; or collects still images.',
  async run(context) {
    const verified = requireInput(context.inputs, 'manifest');
    const root = requireInput(context.inputs, 'recordings');
    const output = requireOutput(context.outputs, 0, 'frames');
    const dataset = openDataset(await readDatasetFacts(requireInput(context.inputs, 'dataset')));
    const manifestFile = await readResultFile(path.join(verified, 'manifest.json'), 'verify');
    const manifest = readManifest(manifestFile);
    const { name } = dataset.facts;
    if (manifest.dataset !== name)
      refuse(manifestFile, `is of ${manifest.dataset}, but the profile’s data set is ${name}`);
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
        ? await writeImages({
            ...{ ...options, dataset, limit: settings.limit },
            steps: 'steps' in settings ? settings.steps : undefined,
          })
        : await writeFrames({
            ...options,
            dataset,
            simulated: manifest.simulated,
            settings: requireFrames(settings),
            leftOut: new Set(
              manifest.files.flatMap((file) => (file.status === 'duplicate' ? file.path : [])),
            ),
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
  if ('steps' in settings && settings.splitBy !== 'rows') return settings;
  throw new RangeError('frames.steps is missing, or frames.splitBy is rows, which is for images');
}
