import path from 'node:path';
import { encodeSafetensors } from '../checkpoints/import-export.ts';
import { loadCheckpoint } from '../checkpoints/loaded-checkpoint.ts';
import { ReproError } from '../errors.ts';
import { writeFilesAtomic } from '../files/atomic-file.ts';
import { kindOfPath } from '../files/folders.ts';
import { matchInstances } from '../runner/plan/selection.ts';
import { formatModel } from '../sharing/model-card.ts';
import type { PipelineOptions } from './load-plan.ts';
import { refuseRunnerFolder } from './reserved-folder.ts';
import { folderOf, readCard, readFinishedRun } from './shared-run.ts';
import { stageNames } from './stages.ts';

export interface ModelOptions extends PipelineOptions {
  readonly out?: string;
  readonly force?: boolean;
}

/**
 * Writes a trained network as model hubs expect it: model.safetensors, config.json and the card, README.md.
 *
 * @param source its training, `train@baseline,2020`
 * @throws {ReproError} `usage` unless it is one training; `run-unfinished`; `output-exists`
 */
export async function exportModel(source: string, options: ModelOptions) {
  const run = await readFinishedRun(options, (plan) => {
    const [training = '', ...more] = matchInstances(plan, source);
    if (more.length === 0 && plan.instances.get(training)?.stage === stageNames.train)
      return [training.replace(stageNames.train, stageNames.evaluate)];
    const found = [training, ...more].join(', ');
    throw new ReproError('usage', `expected one training, found ${found}`, {
      where: source,
      fix: 'Name one, such as train@baseline,2020.',
    });
  });
  const evaluation = run.records.find(({ stage }) => stage === stageNames.evaluate);
  const content = { ...(await readCard(run, evaluation?.id ?? '')), weights: 'model.safetensors' };
  const folder = options.out ?? Object.values(content.record.parts.matrix).join('-');
  refuseRunnerFolder(folder, 'Choose another place with --out.');
  if (options.force !== true && (await kindOfPath(folder)) !== null) {
    const fix = 'Choose another with --out, or replace its files with --force.';
    throw new ReproError('output-exists', 'this folder already exists.', { where: folder, fix });
  }
  const checkpoint = await loadCheckpoint(folderOf(run.plan, content.record));
  const files = { ...formatModel(content), [content.weights]: encodeSafetensors(checkpoint) };
  await writeFilesAtomic(
    Object.entries(files).map(([name, text]) => ({ file: path.join(folder, name), content: text })),
  );
  return { source: content.record.id, folder, files: Object.keys(files) };
}
