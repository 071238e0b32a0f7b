import { ReproError } from '../errors.ts';
import type { TorchArray } from '../formats/torch-pt.ts';
import { type StateEntry, stateEntries } from '../snn/parameters.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import { countElements, type State, type Tensor } from '../snn/tensor.ts';
import { IMPORTABLE } from './answers.ts';
import { findBrokenTensors, listNames } from './finite-state.ts';
import type { SavedTensor } from './saved-file.ts';

/**
 * Reads the tensors that a network needs into the types that engines take.
 *
 * @param tensors by PyTorch's names
 * @throws {ReproError} `import-tensors` naming tensors that are missing, superfluous, or of the wrong shape or type
 */
export async function readImportedState(
  tensors: ReadonlyMap<string, SavedTensor>,
  { spec, file }: { readonly spec: NetworkSpec; readonly file: string },
): Promise<{ readonly state: State; readonly warnings: readonly string[] }> {
  const fail = (problem: string): never => {
    throw new ReproError('import-tensors', `${problem}.`, { where: file, fix: IMPORTABLE });
  };
  const entries = stateEntries(spec);
  const names = new Set(entries.map(({ name }) => name));
  const extra = [...tensors.keys()].filter((name) => !names.has(name));
  if (extra.length > 0) fail(`no network here has the tensors ${listNames(extra)}`);
  const missing = entries.filter(({ name }) => !tensors.has(name)).map(({ name }) => name);
  if (missing.length > 0) fail(`its tensors ${listNames(missing)} are missing`);

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
      ? [`${listNames(broken)}: some values are NaN or infinite, so its training must have diverged.`]
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
