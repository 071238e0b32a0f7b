import { readFileSync } from 'node:fs';
import { readSafetensors } from '../../src/formats/safetensors.ts';
import type { Tensor } from '../../src/snn/tensor.ts';

const folder = new URL('../golden/', import.meta.url);

/** A tensor of 32-bit floats from a golden file. */
export type FloatTensor = Extract<Tensor, { dtype: 'F32' }>;

/** What the original code gave in one case: its tensors, and its entry of `index.json`. */
export interface GoldenCase {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly description: Readonly<Record<string, unknown>>;
  /** A float tensor by name. @throws if the case has none of that name */
  readonly float: (name: string) => FloatTensor;
  /** The tensors below `prefix`, without it: `below('init/')` is a state. */
  readonly below: (prefix: string) => Map<string, Tensor>;
}

/** Loads `test/golden/<name>.safetensors` and what `index.json` says of it. */
export function loadGolden(name: string): GoldenCase {
  const { tensors } = readSafetensors(readFileSync(new URL(`${name}.safetensors`, folder)), name);
  const description = goldenIndex().cases[name];
  if (description === undefined) throw new Error(`test/golden/index.json has no case "${name}"`);
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

/** Names of the golden cases of one kind: `neuron`, `network`, `frames`, … */
export function goldenCases(kind: string): string[] {
  return Object.entries(goldenIndex().cases)
    .filter(([, entry]) => entry.kind === kind)
    .map(([name]) => name);
}

function goldenIndex(): { cases: Record<string, Record<string, unknown>> } {
  return JSON.parse(readFileSync(new URL('index.json', folder), 'utf8'));
}
