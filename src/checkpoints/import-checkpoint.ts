import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { ReproError } from '../errors.ts';
import { openTorchFile } from '../formats/torch-pt.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import { ShapeError } from '../snn/shape-error.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import type { Assumption, ImportAnswers } from './answers.ts';
import { type CurvePoint, readCurves } from './curves.ts';
import { readImportedState } from './imported-state.ts';
import { inferNetwork } from './infer-network.ts';
import { type NetworkFacts, readFacts } from './network-facts.ts';
import { findNetwork, type SavedNetwork } from './saved-object.ts';

/** A checkpoint of PyTorch as this project has it. */
export interface ImportedCheckpoint {
  readonly state: State;
  readonly network: NetworkConfig;
  /** T that it was trained with, where the file says so. */
  readonly trainedSteps: number | null;
  readonly format: 'zip' | 'legacy';
  /** Class of the network, where a whole one was pickled. */
  readonly className: string | null;
  /** What it says of its training, under the original's names. */
  readonly claims: Readonly<Record<string, number>>;
  readonly curves: readonly CurvePoint[];
  /** What the file does not say. */
  readonly assumptions: readonly Assumption[];
  readonly warnings: readonly string[];
}

/**
 * Reads a `.pt` file of the original, or one with a `state_dict` of such a network.
 *
 * @throws {ReproError} of `openTorchFile`, or `import-…` if it holds no network of the thesis; nothing of it is run
 */
export async function importCheckpoint(
  path: string,
  answers: ImportAnswers = {},
  file = path,
): Promise<ImportedCheckpoint> {
  const torch = await openTorchFile(path, file);
  try {
    const saved = findNetwork(torch.value, file);
    const facts = readFacts(saved.tree, file);
    const { className } = saved;
    const inferred = inferNetwork({ tensors: saved.tensors, facts, className, answers, file });
    const spec = build(inferred.network, file);
    checkLayers(spec, facts, file);
    const { state, warnings } = await readImportedState(torch, learnedTensors(saved, spec), { spec, file });
    const curves = readCurves(saved.log);
    const left =
      curves.left > 0
        ? [
            `${curves.left} entries of log_data_list are left out: they are no (tag, value, step), or too many.`,
          ]
        : [];
    return {
      state,
      ...inferred,
      format: torch.format,
      className: className ?? null,
      claims: facts.claims,
      curves: curves.points,
      warnings: [...warnings, ...left],
    };
  } finally {
    await torch.close();
  }
}

/** Hash of a file that may be larger than memory. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

function build(network: NetworkConfig, file: string): NetworkSpec {
  try {
    return buildNetwork(network);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new ReproError('import-unknown', `it is none of the networks here (${cause.message}).`, {
      where: file,
      cause,
    });
  }
}

/** A pickled network could have the tensors of one of ours and compute something else between them. */
function checkLayers(spec: NetworkSpec, { layers }: NetworkFacts, file: string): void {
  if (layers === undefined) return;
  const expected = spec.layers.map(({ kind }) => kind).filter((kind) => kind !== 'repeat');
  if (layers.join() === expected.join()) return;
  throw new ReproError(
    'import-unknown',
    `its layers are ${layers.join(', ')}; expected ${expected.join(', ')}.`,
    {
      where: file,
      fix: 'docs/checkpoints.md says what the networks are that can be imported.',
    },
  );
}

/** A slope that is not learned may still be a buffer; the network's configuration has it. */
function learnedTensors({ tensors }: SavedNetwork, spec: NetworkSpec): SavedNetwork['tensors'] {
  const isLearned = spec.layers.some((layer) => layer.kind === 'neuron' && layer.neuron.surrogate.learnable);
  return isLearned
    ? tensors
    : new Map([...tensors].filter(([name]) => !name.endsWith('.surrogate_function.alpha')));
}
