import path from 'node:path';
import { encodeSafetensors } from '../checkpoints/import-export.ts';
import { loadCheckpoint } from '../checkpoints/loaded-checkpoint.ts';
import { ReproError } from '../errors.ts';
import { writeFilesAtomic } from '../files/atomic-file.ts';
import { kindOfPath } from '../files/folders.ts';
import { quoteWords } from '../files/shell-words.ts';
import { matchInstances } from '../runner/plan/selection.ts';
import { formatModel } from '../sharing/model-card.ts';
import { type PipelineOptions, pipelineArguments, type Warn } from './load-plan.ts';
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
export async function writeModel(source: string, options: ModelOptions, warn: Warn) {
  const run = await readFinishedRun(options, warn, (plan) => {
    const isTraining = source.replace(/@.*/, '') === stageNames.train;
    const found = isTraining ? matchInstances(plan, source) : [];
    if (found.length === 1) return found.map((id) => id.replace(stageNames.train, stageNames.evaluate));
    const trainings = [...plan.instances.values()].filter(({ stage }) => stage === stageNames.train);
    // A model's name, or a file that may be called after one.
    const meant = trainings.find(({ matrix }) => source.includes(String(matrix.model))) ?? trainings[0];
    const example = meant?.id ?? 'train@baseline,2020';
    const fix = `Name it: ${quoteWords(['./repro', 'export', 'model', example, ...pipelineArguments(options)])}`;
    const problem = `a card is made of one training of this project; this names ${found.join(', ') || 'none'}.`;
    throw new ReproError('usage', problem, { where: source, fix });
  });
  const evaluation = run.records.find(({ stage }) => stage === stageNames.evaluate);
  const content = { ...(await readCard(run, evaluation?.id ?? '')), weights: 'model.safetensors' };
  const folder = options.out ?? `${Object.values(content.record.parts.matrix).join('-')}-model`;
  refuseRunnerFolder(folder, 'Choose another place with --out.');
  if (options.force !== true && (await kindOfPath(folder)) !== null) {
    const fix =
      'Choose another with --out, or replace README.md, config.json and model.safetensors in it with --force.';
    throw new ReproError('output-exists', 'this folder already exists.', { where: folder, fix });
  }
  const checkpoint = await loadCheckpoint(folderOf(run.plan, content.record));
  const files = { ...formatModel(content), [content.weights]: encodeSafetensors(checkpoint) };
  await writeFilesAtomic(
    Object.entries(files).map(([name, text]) => ({ file: path.join(folder, name), content: text })),
  );
  return { source: content.record.id, folder, files: Object.keys(files) };
}
