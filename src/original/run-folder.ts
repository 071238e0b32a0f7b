import { access } from 'node:fs/promises';
import path from 'node:path';
import type { EngineDescription } from '../engines/engine.ts';
import { hasErrorCode, ReproError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { readRegular } from '../files/regular-file.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import type { ClipIndex } from '../results/clip-index.ts';
import { formatMetrics } from '../results/metrics.ts';
import { formatRun, formatSplit, type RunFile, readRun } from '../results/run-file.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { countParameters } from '../snn/parameters.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import { formatPercent } from '../text.ts';
import type { Checkpoint } from '../training/checkpoint.ts';
import { describeRun, describeSplit } from '../training/run-files.ts';
import type { TrainingClips } from '../training/training-clips.ts';
import { EventFile, findEventFile } from './event-file.ts';
import type { Preparation } from './preparation.ts';

/** `run.json` of a checkpoint folder: that of a training in the pipeline, plus the number of epochs done. */
export interface OriginalRunFile extends RunFile {
  readonly epochsDone: number;
}

/** What a training reports at its end, from `run.json`. */
export interface RunSummary {
  readonly title: string;
  readonly dataset: string;
  readonly simulated: boolean;
  readonly seed: number;
  readonly epochsDone: number;
  readonly best: OriginalRunFile['best'];
  readonly maximumTest: OriginalRunFile['maximum']['test'];
}

/** The files of a checkpoint folder that people read. States have the original's names, but for its ending `.pt`. */
const fileNames = {
  run: 'run.json',
  split: 'split.json',
  metrics: 'metrics.csv',
  last: 'checkpoint.safetensors',
  best: 'checkpoint_max.safetensors',
} as const;

/** Says in the log folder that the curves are of simulated recordings. */
const simulatedNote = 'SIMULATED.txt';

/** What goes into the files of a training besides its checkpoints. */
export interface RunDescription {
  readonly index: ClipIndex;
  readonly engine: EngineDescription;
  readonly network: NetworkConfig;
  readonly spec: NetworkSpec;
  readonly clips: TrainingClips;
}

/** Writes the files of a training's two folders after each epoch; each file is complete at any time. */
export class RunFolder {
  readonly #preparation: Preparation;
  readonly #description: RunDescription;
  readonly #events: EventFile;
  #keptEpoch: number | undefined;
  #run: OriginalRunFile | undefined;

  constructor(
    preparation: Preparation,
    description: RunDescription,
    clock: { readonly nowSeconds: () => number; readonly warn: (text: string) => void },
  ) {
    this.#preparation = preparation;
    this.#description = description;
    this.#events = new EventFile(preparation.logFolder, description.spec, clock);
  }

  /** The content of run.json; undefined before the end of the first epoch. */
  get run(): OriginalRunFile | undefined {
    return this.#run;
  }

  async write({ rows, best, batch, parameters }: Checkpoint): Promise<void> {
    if (best === undefined) return;
    const { spec, index } = this.#description;
    const metadata: Record<string, string> = index.simulated ? { data: 'simulated' } : {};
    await this.#events.write(rows);
    if (index.simulated) await this.#writeSimulatedNote();
    await this.#write(fileNames.metrics, formatMetrics(rows));
    // In the middle of an epoch, the state is not that of a finished epoch; the file already holds the last of those.
    if (batch === 0) await this.#write(fileNames.last, writeSafetensors(parameters, metadata));
    if (best.epoch !== this.#keptEpoch) {
      await this.#write(fileNames.best, writeSafetensors(best.state, metadata));
      this.#keptEpoch = best.epoch;
    }
    const { model, parsed, logFolder } = this.#preparation;
    const { engine, network, clips } = this.#description;
    this.#run = {
      ...describeRun({
        model: { id: path.basename(logFolder), title: model.title },
        seed: parsed.values.seed,
        index,
        engine,
        network,
        parameters: countParameters(spec),
        training: model.training,
        compat: clips.compat,
        split: clips.split,
        outcome: { rows, best, last: parameters },
      }),
      epochsDone: rows.length,
    };
    await this.#write(fileNames.split, formatSplit(describeSplit(clips)));
    await this.#write(fileNames.run, formatRun(this.#run));
  }

  #write(name: string, content: Uint8Array | string): Promise<void> {
    return writeFileAtomic(path.join(this.#preparation.checkpointFolder, name), content, {
      soleWriter: true,
    });
  }

  /** An event file has no place for this, and its curves look like any others. */
  #writeSimulatedNote(): Promise<void> {
    const text =
      'The curves in this folder come from simulated recordings and say nothing about real ones.\n';
    return writeFileAtomic(path.join(this.#preparation.logFolder, simulatedNote), text, {
      soleWriter: true,
    });
  }
}

/** A training that has nothing left to do. */
export interface FinishedRun {
  readonly summary: RunSummary;
  /** The text of run.json. */
  readonly document: string;
}

/** The finished training of these folders; undefined if epochs are left to train, or if a file is missing or damaged. */
export async function findFinishedRun({
  checkpointFolder,
  logFolder,
  parsed,
}: Preparation): Promise<FinishedRun | undefined> {
  try {
    await Promise.all(Object.values(fileNames).map((name) => access(path.join(checkpointFolder, name))));
    const file = path.join(checkpointFolder, fileNames.run);
    const document = (await readRegular(file)).toString();
    const { epochsDone = 0, ...run } = readRun({ file, text: document, fix: '' });
    if (epochsDone < parsed.values.max_epoch) return undefined;
    if (run.simulated) await access(path.join(logFolder, simulatedNote));
    return (await findEventFile(logFolder)) === undefined
      ? undefined
      : { summary: summariseRun({ ...run, epochsDone }), document };
  } catch (error) {
    const isDamaged = error instanceof ReproError && error.code === 'results-invalid';
    if (isDamaged || hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** What to report of a training that has ended. */
export function summariseRun({
  model,
  dataset,
  simulated,
  seed,
  epochsDone,
  best,
  maximum,
}: OriginalRunFile): RunSummary {
  return { title: model.title, dataset, simulated, seed, epochsDone, best, maximumTest: maximum.test };
}

/**
 * The result of a training, for its end and for when it is asked for again.
 *
 * @param folder paths are shown relative to it
 */
export function describeOutcome(
  run: RunSummary,
  { logFolder, checkpointFolder }: Preparation,
  folder: string,
): string[] {
  const { best, maximumTest } = run;
  const data = run.simulated ? `${run.dataset}, simulated` : run.dataset;
  const test = best.testAccuracy === null ? 'not tested' : `test ${formatPercent(best.testAccuracy)}`;
  const validation =
    best.validationAccuracy === null
      ? 'no validation'
      : `validation ${formatPercent(best.validationAccuracy)}`;
  const seen = (one: string): string => path.relative(folder, one) || '.';
  return [
    `${run.title} (${data}), ${formatEpochs(run.epochsDone)}, seed ${run.seed}`,
    `kept: epoch ${best.epoch + 1}, ${validation}, ${test}`,
    `best test accuracy of any epoch: ${formatPercent(maximumTest.accuracy)} (epoch ${maximumTest.epoch + 1})`,
    `checkpoints: ${seen(checkpointFolder)}`,
    `TensorBoard: ${seen(logFolder)}`,
  ];
}

/** The lines for a training that has nothing left to do. */
export function describeFinished(run: RunSummary, preparation: Preparation, folder: string): string[] {
  const { max_epoch } = preparation.parsed.values;
  const fewer = run.epochsDone > max_epoch ? `, more than -max_epoch ${max_epoch}` : '';
  return [
    `Already finished: ${formatEpochs(run.epochsDone)} trained${fewer}. A larger -max_epoch continues it.`,
    ...describeOutcome(run, preparation, folder),
  ];
}

function formatEpochs(count: number): string {
  return `${count} ${count === 1 ? 'epoch' : 'epochs'}`;
}
