import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDataset } from '../src/data/open-dataset.ts';
import { threadsOf } from '../src/data/reading/threads.ts';
import { nameRecordings } from '../src/results/dataset-facts.ts';
import { readDatasetFacts } from '../src/results/dataset-file.ts';
import { formatManifest } from '../src/results/manifest.ts';
import { defineStage, requireInput, requireOutput } from '../src/runner/stage/define-stage.ts';

interface Params {
  readonly dataset: { readonly simulated: boolean; readonly standIn?: boolean };
}

export default defineStage<Params>({
  summary: 'Checks that the recordings are complete and intact.',
  async run(context) {
    const { simulated: made, standIn = false } = context.params.dataset;
    const simulated = made || standIn;
    const facts = await readDatasetFacts(requireInput(context.inputs, 'dataset'));
    const root = requireInput(context.inputs, 'recordings');
    const output = requireOutput(context.outputs, 0, 'manifest');
    const dataset = openDataset(facts);
    const manifest = await dataset.verify(root, {
      simulated,
      threads: threadsOf(context),
      signal: context.signal,
      progress: (done, total) => context.progress({ done, total, unit: dataset.recordingsNoun }),
      // stdout goes to the stage's log: `repro logs verify`.
      log: (line) => console.log(line),
    });
    for (const warning of manifest.warnings) context.warn(warning);
    await mkdir(output, { recursive: true });
    await writeFile(path.join(output, 'manifest.json'), formatManifest(manifest));
    const { train, test } = manifest.splits;
    context.metrics({
      recordings: train.recordings + test.recordings,
      'clips.train': train.clips,
      'clips.test': test.clips,
      warnings: manifest.warnings.length,
    });
    const whole = train.clips === facts.published.train && test.clips === facts.published.test;
    const [training, tests] = [train.clips, test.clips].map((clips) => clips.toLocaleString('en-US'));
    context.note(
      `${nameRecordings(facts, manifest.simulated)}: ${training} training and ${tests} test clips${whole ? ', complete' : ''}.`,
    );
  },
});
