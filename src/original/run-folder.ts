import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { EngineDescription } from '../engines/engine.ts';
import { hasErrorCode } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import type { ClipIndex } from '../formats/frame-cache.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import type { NetworkConfig } from '../snn/networks.ts';
import { countParameters } from '../snn/parameters.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { Checkpoint } from '../training/checkpoint.ts';
import { formatMetrics } from '../training/metrics.ts';
import { describeRun, formatJson, type RunFile, type SplitFile } from '../training/run-files.ts';
import type { TrainingClips } from '../training/training-clips.ts';
import { EventFile } from './event-file.ts';
import type { Preparation } from './preparation.ts';

/** `run.json` of a checkpoint folder: as of a training of the pipeline, and how far it is. */
export interface OriginalRunFile extends RunFile {
  readonly epochsDone: number;
}

/** What a checkpoint folder holds for people, by the original's names as far as it has them; its own end in `.pt`. */
const fileNames = {
  run: 'run.json',
  split: 'split.json',
  metrics: 'metrics.csv',
  last: 'checkpoint.safetensors',
  best: 'checkpoint_max.safetensors',
} as const;

/** What the files of a training say beside what its checkpoints hold. */
export interface RunDescription {
  readonly index: ClipIndex;
  readonly engine: EngineDescription;
  readonly network: NetworkConfig;
  readonly spec: NetworkSpec;
  readonly clips: TrainingClips;
}

/** Writes the files of a training's two folders whenever an epoch has ended; each of them is whole at any time. */
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

  /** What run.json says now; undefined before the first epoch has ended. */
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
    // In the middle of an epoch the state is that of no epoch's end; the last of those is there already.
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
    await this.#write(fileNames.split, formatJson(describeSplit(clips)));
    await this.#write(fileNames.run, formatJson(this.#run));
  }

  #write(name: string, content: Uint8Array | string): Promise<void> {
    return writeFileAtomic(path.join(this.#preparation.checkpointFolder, name), content, {
      soleWriter: true,
    });
  }

  /** An event file cannot say it, and its curves look like any others. */
  #writeSimulatedNote(): Promise<void> {
    const text = 'The curves in this folder are of simulated recordings: they say nothing about real ones.\n';
    return writeFileAtomic(path.join(this.#preparation.logFolder, 'SIMULATED.txt'), text, {
      soleWriter: true,
    });
  }
}

function describeSplit({ rule, split }: TrainingClips): SplitFile {
  return { version: 1, rule, train: [...split.train], validation: [...split.validation] };
}

/** What is said of a training that has nothing left to do; undefined if it has, or if one of its files is gone. */
export async function findFinishedRun({
  checkpointFolder,
  parsed,
}: Preparation): Promise<OriginalRunFile | undefined> {
  try {
    await Promise.all(Object.values(fileNames).map((name) => access(path.join(checkpointFolder, name))));
    const run: OriginalRunFile = JSON.parse(
      await readFile(path.join(checkpointFolder, fileNames.run), 'utf8'),
    );
    return run.epochsDone >= parsed.values.max_epoch ? run : undefined;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
