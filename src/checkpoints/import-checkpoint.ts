import { createHash } from 'node:crypto';
import { ReproError } from '../errors.ts';
import { streamRegular } from '../files/regular-file.ts';
import { type CurvePoint, readCurves } from '../formats/logged-curves.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import { ShapeError } from '../snn/tensor.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import { type Assumption, IMPORTABLE, type ImportAnswers } from './answers.ts';
import { readImportedState } from './imported-state.ts';
import { inferNetwork } from './infer-network.ts';
import { type NetworkFacts, readFacts } from './network-facts.ts';
import { openSavedFile, type SavedFile } from './saved-file.ts';

/** A network trained elsewhere, converted to this project's types. */
export interface ImportedCheckpoint {
  readonly state: State;
  readonly network: NetworkConfig;
  /** T that it was trained with; null if the file does not say. */
  readonly trainedSteps: number | null;
  readonly format: SavedFile['format'];
  /** Class of the network; null if only its tensors were saved. */
  readonly className: string | null;
  /** What it says about its training, under the original's names. */
  readonly claims: Readonly<Record<string, number>>;
  readonly curves: readonly CurvePoint[];
  /** What the file does not say. */
  readonly assumptions: readonly Assumption[];
  readonly warnings: readonly string[];
}

/**
 * Reads a `.pt` file of the original, or a `.pt` or `.safetensors` file with the `state_dict` of such a network. Nothing in
 * the file is run.
 *
 * @throws {ReproError} of `openSavedFile`, or `import-…` if it does not hold one of the thesis' networks
 */
export async function importCheckpoint(
  path: string,
  answers: ImportAnswers = {},
  file = path,
): Promise<ImportedCheckpoint> {
  const saved = await openSavedFile(path, file);
  try {
    const facts = readFacts(saved.tree, file);
    const { className } = saved;
    const inferred = inferNetwork({ tensors: saved.tensors, facts, className, answers, file });
    const spec = build(inferred.network, file);
    checkLayers(spec, facts, file);
    const { state, warnings } = await readImportedState(learnedTensors(saved, spec), { spec, file });
    const curves = readCurves(saved.log);
    const skipped =
      curves.skipped > 0
        ? [`${curves.skipped} entries of log_data_list are skipped: not (tag, value, step), or too many.`]
        : [];
    return {
      state,
      ...inferred,
      format: saved.format,
      className: className ?? null,
      claims: facts.claims,
      curves: curves.points,
      warnings: [...warnings, ...skipped],
    };
  } finally {
    await saved.close();
  }
}

/** SHA-256 of a file that may be larger than memory. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of streamRegular(path)) hash.update(chunk);
  return hash.digest('hex');
}

function build(network: NetworkConfig, file: string): NetworkSpec {
  try {
    return buildNetwork(network);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new ReproError('import-unknown', `it is not one of the networks here: ${cause.message}.`, {
      where: file,
      fix: IMPORTABLE,
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
    `expected the layers ${expected.join(', ')}, found ${layers.join(', ')}.`,
    { where: file, fix: IMPORTABLE },
  );
}

/** Even a slope that is not learned may be saved, as a buffer; the network's configuration has it. */
function learnedTensors({ tensors }: SavedFile, spec: NetworkSpec): SavedFile['tensors'] {
  const isLearned = spec.layers.some((layer) => layer.kind === 'neuron' && layer.neuron.surrogate.learnable);
  return isLearned
    ? tensors
    : new Map([...tensors].filter(([name]) => !name.endsWith('.surrogate_function.alpha')));
}
