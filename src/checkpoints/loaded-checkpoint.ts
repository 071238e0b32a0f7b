import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { checkState } from '../engines/checks.ts';
import { hasErrorCode, ReproError } from '../errors.ts';
import { parseFields } from '../formats/fields.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import { ShapeError } from '../snn/shape-error.ts';
import type { State } from '../snn/tensor.ts';
import type { Assumption } from './answers.ts';
import { decodeMetadata } from './export-metadata.ts';
import { importCheckpoint } from './import-checkpoint.ts';
import { parseNetworkFile } from './network-file.ts';
import { parseNetwork } from './network-json.ts';
import { readTraining, type TrainedOn, trainedElsewhere } from './trained-on.ts';

/** Which of a training's two states. */
export type Which = 'best' | 'last';

/** A state, and what is known of it. */
export interface LoadedCheckpoint {
  readonly state: State;
  /** Null for tensors that nothing is known of. */
  readonly network: NetworkConfig | null;
  readonly trainedOn: TrainedOn;
  /** What it is, for people: `baseline, seed 2020, best epoch 7`. */
  readonly source: string;
  /** Short, for the name of a file made of it: `baseline-2020-best`. */
  readonly name: string;
  /** What its training held back; null if that is not known. */
  readonly validation: HeldBack | null;
  readonly assumptions: readonly Assumption[];
  readonly warnings: readonly string[];
}

/** Clips that a training held back, and by what to tell whether frames are of the same clips. */
export interface HeldBack {
  /** Rows of train.npy. */
  readonly rows: readonly number[];
  /** Rows of test.npy beside it. */
  readonly testClips: number;
}

/** The state of `repro import`; those of a training of the pipeline and of `repro train-val`. */
const STATES: Readonly<Record<Which, readonly string[]>> = {
  best: ['state.safetensors', 'best.safetensors', 'checkpoint_max.safetensors'],
  last: ['last.safetensors', 'checkpoint.safetensors'],
};

/**
 * Reads a state from wherever it is: a `.pt` file, a `.safetensors` file, or the folder of a training or an import.
 *
 * @param which of a training's states; `best` where nothing is said
 * @throws {ReproError} `checkpoint-missing` if there is none, `network-invalid` if what is said of its network does not fit its tensors,
 *   or one of the format that says what is wrong
 */
export async function loadCheckpoint(source: string, which?: Which): Promise<LoadedCheckpoint> {
  const checkpoint = await load(source, which);
  checkNetwork(checkpoint, source);
  return checkpoint;
}

/** What is said of a network lies in another file, or was written by somebody. */
function checkNetwork({ network, state }: LoadedCheckpoint, where: string): void {
  if (network === null) return;
  try {
    checkState(buildNetwork(network), state);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new ReproError(
      'network-invalid',
      `the network that it is said to be of is none, or has other tensors (${cause.message}).`,
      {
        where,
        fix: 'Import, export or train it again: its description and its tensors belong together.',
        cause,
      },
    );
  }
}

async function load(source: string, which?: Which): Promise<LoadedCheckpoint> {
  const kind = await kindOf(source);
  if (kind === 'folder') return loadFolder(source, which ?? 'best');
  if (which !== undefined) {
    throw new ReproError(
      'checkpoint-missing',
      '--which chooses between the states in a folder; this is a file.',
      {
        where: source,
        fix: 'Leave --which out, or name the folder.',
      },
    );
  }
  if (/\.(?:pt|pth)$/i.test(source)) return loadTorch(source);
  if (/\.safetensors$/i.test(source)) return loadSafetensors(source);
  throw new ReproError('checkpoint-missing', 'this is no .pt or .safetensors file.', {
    where: source,
    fix: 'An .npz has no room for what the network is: use the .safetensors file instead.',
  });
}

async function kindOf(source: string): Promise<'file' | 'folder'> {
  try {
    return (await stat(source)).isDirectory() ? 'folder' : 'file';
  } catch (cause) {
    if (!hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new ReproError('checkpoint-missing', 'there is no such file or folder.', {
      where: source,
      fix: 'Name a .pt or .safetensors file, a folder that holds a state, or a stage instance such as train@baseline,2020.',
      cause,
    });
  }
}

async function loadTorch(file: string): Promise<LoadedCheckpoint> {
  const { state, network, trainedSteps, assumptions, warnings } = await importCheckpoint(file);
  const name = path.basename(file).replace(/\.pth?$/i, '');
  return {
    ...{ state, network, assumptions, warnings, name },
    trainedOn: trainedElsewhere(trainedSteps),
    source: path.basename(file),
    validation: null,
  };
}

async function loadFolder(folder: string, which: Which): Promise<LoadedCheckpoint> {
  const names = STATES[which];
  const found = names.find((name) => existsSync(path.join(folder, name)));
  if (found !== undefined) return loadSafetensors(path.join(folder, found), which);
  throw new ReproError(
    'checkpoint-missing',
    `there is no ${which} state here: none of ${names.join(', ')}.`,
    {
      where: folder,
      fix: 'Name the folder of a training, such as artifacts/train/baseline/2020, or one that `repro import` made.',
    },
  );
}

/** What is known of a safetensors file: by its own metadata, else by network.json or run.json beside it. */
async function loadSafetensors(file: string, which?: Which): Promise<LoadedCheckpoint> {
  const { tensors: state, metadata } = readSafetensors(await readFile(file), file);
  const name = path.basename(file, '.safetensors');
  const unknown = { state, name, validation: null, assumptions: [], warnings: [] };
  const own = decodeMetadata(metadata, file);
  if (own !== null) return { ...unknown, ...own };

  const folder = path.dirname(path.resolve(file));
  const imported = await readIfThere(path.join(folder, 'network.json'));
  if (imported !== undefined && name === 'state') {
    const { network, trainedSteps, source, assumed } = parseNetworkFile(
      imported,
      path.join(folder, 'network.json'),
    );
    return {
      ...unknown,
      network,
      trainedOn: trainedElsewhere(trainedSteps),
      name: path.basename(folder),
      source: `imported from ${source.file}`,
      assumptions: assumed,
    };
  }
  const run = await readIfThere(path.join(folder, 'run.json'));
  if (run === undefined) {
    return { ...unknown, network: null, trainedOn: trainedElsewhere(null), source: path.basename(file) };
  }
  const what = which ?? (STATES.last.includes(path.basename(file)) ? 'last' : 'best');
  return { ...unknown, ...(await describeTraining(folder, run, what)) };
}

async function describeTraining(folder: string, text: string, which: Which) {
  const file = path.join(folder, 'run.json');
  const fix = 'Train again: `repro run train --force`.';
  const run = parseFields(text, { file, code: 'network-invalid', fix });
  const model = run.object('model').text('id');
  const seed = run.number('seed');
  const epoch = which === 'best' ? `best epoch ${run.object('best').count('epoch') + 1}` : 'last epoch';
  const splitText = await readIfThere(path.join(folder, 'split.json'));
  const split =
    splitText &&
    parseFields(splitText, { file: path.join(folder, 'split.json'), code: 'network-invalid', fix });
  return {
    network: parseNetwork(run.object('network')),
    trainedOn: readTraining(run),
    source: `${model}, seed ${seed}, ${epoch}`,
    name: `${model}-${seed}-${which}`,
    validation: split
      ? {
          rows: split.numbers('validation', { min: 0, integer: true }),
          testClips: run.object('split').count('test'),
        }
      : null,
  };
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
