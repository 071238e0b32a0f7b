import { ReproError } from '../../base/errors.ts';
import { listSome, quoteName } from '../../base/text.ts';
import {
  countElements,
  findBrokenTensors,
  ShapeError,
  type State,
  type Tensor,
} from '../../formats/tensor.ts';
import type { TorchArray } from '../../formats/torch-pt.ts';
import { buildNetwork, type NetworkConfig } from '../../network/networks.ts';
import { type NetworkSpec, type StateEntry, stateEntries } from '../../network/spec.ts';
import { type Assumption, type ImportAnswers, inferNetwork } from './infer-network.ts';
import { IMPORTABLE, type NetworkFacts, readFacts } from './module-tree.ts';
import { openSavedFile, type SavedFile, type SavedTensor } from './saved-file.ts';

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
  file: string,
  answers: ImportAnswers = {},
): Promise<ImportedCheckpoint> {
  const saved = await openSavedFile(file);
  try {
    const facts = saved.tree === undefined ? { claims: {} } : readFacts(saved.tree, file);
    const { className } = saved;
    const inferred = inferNetwork({ tensors: saved.tensors, facts, className, answers, file });
    const spec = build(inferred.network, file);
    checkLayers(spec, facts, file);
    const { state, warnings } = await readImportedState(learnedTensors(saved, spec), { spec, file });
    return {
      state,
      ...inferred,
      format: saved.format,
      className: className ?? null,
      claims: facts.claims,
      warnings,
    };
  } finally {
    await saved.close();
  }
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
  const expected = spec.layers.map(({ kind }) => kind).filter((kind) => kind !== 'repeat');
  if (layers === undefined || layers.join() === expected.join()) return;
  const problem = `expected the layers ${expected.join(', ')}, found ${layers.join(', ')}.`;
  throw new ReproError('import-unknown', problem, { where: file, fix: IMPORTABLE });
}

/** Even a slope that is not learned may be saved, as a buffer; the network's configuration has it. */
function learnedTensors({ tensors }: SavedFile, spec: NetworkSpec): SavedFile['tensors'] {
  const isLearned = spec.layers.some((layer) => layer.kind === 'neuron' && layer.neuron.surrogate.learnable);
  return isLearned
    ? tensors
    : new Map([...tensors].filter(([name]) => !name.endsWith('.surrogate_function.alpha')));
}

/**
 * Reads the tensors that a network needs into the types that engines take.
 *
 * @param tensors by PyTorch's names
 * @throws {ReproError} `import-tensors` naming tensors that are missing, superfluous, or of the wrong shape or type
 */
async function readImportedState(
  tensors: ReadonlyMap<string, SavedTensor>,
  { spec, file }: { readonly spec: NetworkSpec; readonly file: string },
): Promise<{ readonly state: State; readonly warnings: readonly string[] }> {
  const fail = (problem: string): never => {
    throw new ReproError('import-tensors', `${problem}.`, { where: file, fix: IMPORTABLE });
  };
  const entries = stateEntries(spec);
  const names = new Set(entries.map(({ name }) => name));
  const extra = [...tensors.keys()].filter((name) => !names.has(name));
  if (extra.length > 0) fail(`no network here has the tensors ${quoteNames(extra)}`);
  const missing = entries.filter(({ name }) => !tensors.has(name)).map(({ name }) => name);
  if (missing.length > 0) fail(`its tensors ${quoteNames(missing)} are missing`);

  const state = new Map<string, Tensor>();
  for (const entry of entries) {
    const tensor = tensors.get(entry.name);
    if (tensor === undefined) continue;
    if (!sameShape(entry.shape, tensor.shape)) {
      fail(`"${entry.name}" has shape [${tensor.shape.join(', ')}], expected [${entry.shape.join(', ')}]`);
    }
    state.set(entry.name, convert(entry, await tensor.read(), fail));
  }
  const broken = findBrokenTensors(state);
  const warnings =
    broken.length > 0
      ? [`${quoteNames(broken)}: some values are NaN or infinite, so its training must have diverged.`]
      : [];
  return { state, warnings };
}

/** A single number may be saved as a vector of one. */
function sameShape(expected: readonly number[], found: readonly number[]): boolean {
  return (
    expected.join() === found.join() || (countElements(expected) === 1 && found.every((size) => size === 1))
  );
}

function convert(
  { name, shape, dtype }: StateEntry,
  { data, ...array }: TorchArray,
  fail: (problem: string) => never,
): Tensor {
  if (dtype === 'I64') {
    if (data instanceof BigInt64Array) return { dtype, shape, data };
    if (data instanceof Int32Array) return { dtype, shape, data: BigInt64Array.from(data, BigInt) };
  } else {
    if (data instanceof Float32Array) return { dtype, shape, data };
    if (data instanceof Float64Array) return { dtype, shape, data: Float32Array.from(data) };
  }
  return fail(
    `"${name}" holds ${array.dtype}, expected ${dtype === 'I64' ? 'int64 or int32' : 'floating-point numbers'}`,
  );
}

/** The first few names, quoted. */
export function quoteNames(names: readonly string[]): string {
  return listSome(names.map((name) => quoteName(name)));
}
