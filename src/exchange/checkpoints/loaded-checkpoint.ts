import { existsSync } from 'node:fs';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { kindOfPath } from '../../base/files/folders.ts';
import { readRegular } from '../../base/files/regular-file.ts';
import { readSafetensors, readSafetensorsArrays } from '../../formats/safetensors.ts';
import { ShapeError, type State } from '../../formats/tensor.ts';
import { checkState } from '../../network/engines/checks.ts';
import { buildNetwork } from '../../network/networks.ts';
import { readRun } from '../../results/run-file.ts';
import type { LoadedCheckpoint } from './evaluate-checkpoint.ts';
import { importCheckpoint } from './import-checkpoint.ts';
import { loadNir, NIR_NAME } from './nir.ts';
import { SAFETENSORS_NAME } from './saved-file.ts';
import { decodeMetadata, trainedElsewhere, trainedHere } from './self-description.ts';

/** Which of a training's two states. */
export type Which = 'best' | 'last';

/** The states written by the pipeline's trainings, and by `repro train-val`. */
const STATES: Readonly<Record<Which, readonly string[]>> = {
  best: ['best.safetensors', 'checkpoint_max.safetensors'],
  last: ['last.safetensors', 'checkpoint.safetensors'],
};

/**
 * Reads a state from a `.pt` file, a `.safetensors` file, or the folder of a training.
 *
 * @param which of a training's states; `best` by default
 * @throws {ReproError} `checkpoint-missing` if there is none, `network-invalid` if the description of its network does not fit
 *   its tensors, or an error of its format
 */
export async function loadCheckpoint(source: string, which?: Which): Promise<LoadedCheckpoint> {
  try {
    const checkpoint = await load(source, which);
    // The description may lie in another file, or have been edited.
    if (checkpoint.network !== null) checkState(buildNetwork(checkpoint.network), checkpoint.state);
    return checkpoint;
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    const problem = `its tensors do not fit the network described for it: ${cause.message}.`;
    const fix = 'Import, export or train it again, so that its description and its tensors belong together.';
    throw new ReproError('network-invalid', problem, { where: source, fix, cause });
  }
}

async function load(source: string, which?: Which): Promise<LoadedCheckpoint> {
  const missing = (problem: string, fix: string): ReproError =>
    new ReproError('checkpoint-missing', problem, { where: source, fix });
  const kind = await kindOfPath(source);
  if (kind === null) {
    const fix =
      'Name a .pt, .safetensors or .nir file, a folder that holds a state, or a stage instance such as train@baseline,2020.';
    throw missing('no such file or folder.', fix);
  }
  if (kind === 'folder') {
    const names = STATES[which ?? 'best'];
    const found = names.find((name) => existsSync(path.join(source, name)));
    if (found !== undefined) return loadSafetensors(path.join(source, found), which ?? 'best');
    const fix = 'Name the folder of a training, such as artifacts/train/baseline/2020.';
    throw missing(`this folder has no ${which ?? 'best'} state: expected ${names.join(' or ')}.`, fix);
  }
  if (which !== undefined) {
    const fix = 'Leave out --which, or name the folder.';
    throw missing('--which chooses between the states in a folder; this is a file.', fix);
  }
  if (/\.pth?$/i.test(source)) return loadForeign(source);
  if (SAFETENSORS_NAME.test(source)) return loadSafetensors(source);
  if (NIR_NAME.test(source)) return loadNir(source);
  const fix = 'Name such a file. Instead of an .npz, name the .safetensors file: it describes its network.';
  throw missing('expected a .pt, .safetensors or .nir file.', fix);
}

/** A file from elsewhere: its network is inferred from what it holds. */
async function loadForeign(file: string): Promise<LoadedCheckpoint> {
  const { state, network, trainedSteps, assumptions, warnings } = await importCheckpoint(file);
  return {
    ...{ state, network, assumptions, warnings },
    name: path.basename(file).replace(/\.(?:pth?|safetensors)$/i, ''),
    trainedOn: trainedElsewhere(trainedSteps),
    source: path.basename(file),
  };
}

/**
 * A safetensors file and its description: its own metadata, else run.json beside it, else what its names and shapes say.
 */
async function loadSafetensors(file: string, which?: Which): Promise<LoadedCheckpoint> {
  const bytes = await readRegular(file);
  const { metadata } = readSafetensorsArrays(bytes, file);
  const folder = path.dirname(path.resolve(file));
  const name = path.basename(file).replace(SAFETENSORS_NAME, '');
  const common = { name, assumptions: [], warnings: [] };
  const state = (): State => readSafetensors(bytes, file).tensors;
  const own = decodeMetadata(metadata, file);
  if (own !== null) return { ...common, ...own, assumptions: own.assumed, state: state() };
  const run = await readIfPresent(path.join(folder, 'run.json'));
  if (run !== undefined) {
    const what = which ?? (STATES.last.includes(path.basename(file)) ? 'last' : 'best');
    return { ...common, state: state(), ...describeTraining(folder, run, what) };
  }
  try {
    return await loadForeign(file);
  } catch (error) {
    if (!(error instanceof ReproError && error.code.startsWith('import-'))) throw error;
    const unknown = { network: null, whyUnknown: error.message, trainedOn: trainedElsewhere(null) };
    return { ...common, ...unknown, state: state(), source: path.basename(file) };
  }
}

function describeTraining(folder: string, text: string, which: Which) {
  const file = path.join(folder, 'run.json');
  const fix = 'Train again: `./repro run train --force`.';
  const run = readRun({ file, text, fix });
  const epoch = which === 'best' ? `best epoch ${run.best.epoch + 1}` : 'last epoch';
  return {
    network: run.network,
    trainedOn: trainedHere(run),
    compat: { loss: run.compat.loss, ties: run.compat.ties },
    source: `${run.model.id}, seed ${run.seed}, ${epoch}`,
    name: `${run.model.id}-${run.seed}-${which}`,
  };
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return (await readRegular(file)).toString();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
