import { readFileSync } from 'node:fs';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { Tensor } from '../../src/formats/tensor.ts';

const folder = new URL('../golden/', import.meta.url);

/** A tensor of 32-bit floats from a golden file. */
export type FloatTensor = Extract<Tensor, { dtype: 'F32' }>;

/** The original code's result for one case: its tensors and its entry in `index.json`. */
export interface GoldenCase {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly description: Readonly<Record<string, unknown>>;
  /** A float tensor by name. @throws if the case has no such tensor */
  readonly float: (name: string) => FloatTensor;
  /** The tensors below `prefix`, without it: `below('init/')` is a state. */
  readonly below: (prefix: string) => Map<string, Tensor>;
}

/** Loads `test/golden/<name>.safetensors` and its entry in the `index.json` beside it: `plif_00`, `torch/sigmoid_00`. */
export function loadGolden(name: string): GoldenCase {
  const { tensors } = readSafetensors(readFileSync(new URL(`${name}.safetensors`, folder)), name);
  const below = name.slice(0, name.lastIndexOf('/') + 1);
  const description = goldenIndex(below).cases[name.slice(below.length)];
  if (description === undefined) throw new Error(`test/golden/${below}index.json has no case for "${name}"`);
  return {
    tensors,
    description,
    float: (tensorName) => {
      const tensor = tensors.get(tensorName);
      if (tensor?.dtype !== 'F32')
        throw new Error(`golden case "${name}" has no float tensor "${tensorName}"`);
      return tensor;
    },
    below: (prefix) =>
      new Map(
        [...tensors]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, t]) => [key.slice(prefix.length), t]),
      ),
  };
}

/** Names of the golden cases of one kind (`neuron`, `network`, `frames`, …), of the original code or of a folder `below`: `torch/`. */
export function goldenCases(kind: string, below = ''): string[] {
  return Object.entries(goldenIndex(below).cases)
    .filter(([, entry]) => entry.kind === kind)
    .map(([name]) => below + name);
}

function goldenIndex(below: string): { cases: Record<string, Record<string, unknown>> } {
  return JSON.parse(readFileSync(new URL(`${below}index.json`, folder), 'utf8'));
}
