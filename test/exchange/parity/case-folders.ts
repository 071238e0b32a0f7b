import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Comparison } from '../../../src/exchange/parity/compare.ts';
import type { CaseFolder } from '../../../src/exchange/parity/given-case.ts';
import { type CaseOutcome, runSuite } from '../../../src/exchange/parity/suite.ts';
import { readSafetensors, writeSafetensors } from '../../../src/formats/safetensors.ts';
import { countElements, type Tensor } from '../../../src/formats/tensor.ts';
import { nativeEngine } from '../../native/support.ts';

type Description = Record<string, unknown>;

/** An editable folder in memory. */
export interface EditableFolder {
  readonly index: { cases: Record<string, unknown>; [extra: string]: unknown };
  readonly files: Map<string, Uint8Array>;
}

const golden = new URL('../../golden/', import.meta.url);

/** A copy of some cases of test/golden, with the recording that two of them read. */
export function copyGolden(...names: readonly string[]): EditableFolder {
  const { cases } = JSON.parse(readFileSync(new URL('index.json', golden), 'utf8'));
  const files = [
    ...names.map((name) => `${name}.safetensors`),
    ...readdirSync(golden).filter((name) => name.startsWith('recording')),
  ];
  return {
    index: { cases: Object.fromEntries(names.map((name) => [name, cases[name]])) },
    files: new Map(files.map((name) => [name, readFileSync(new URL(name, golden))])),
  };
}

/** A folder of one case, made by hand. */
export function makeCase(
  description: Description,
  tensors: Readonly<Record<string, Tensor>> = {},
): EditableFolder {
  return {
    index: { cases: { made: description } },
    files: new Map([['made.safetensors', writeSafetensors(new Map(Object.entries(tensors)))]]),
  };
}

export function describeCase(folder: EditableFolder, name: string): Description {
  return folder.index.cases[name] as Description;
}

/** Changes the tensors of a case. */
export function editTensors(
  { files }: EditableFolder,
  name: string,
  edit: (tensors: Map<string, Tensor>) => void,
): void {
  const file = `${name}.safetensors`;
  const { tensors } = readSafetensors(files.get(file)!);
  edit(tensors);
  files.set(file, writeSafetensors(tensors));
}

export function floats(shape: readonly number[], ...values: readonly number[]): Tensor {
  if (values.length !== countElements(shape)) throw new Error('the values do not fill the shape');
  return { dtype: 'F32', shape, data: Float32Array.from(values) };
}

export function whole(...values: readonly number[]): Tensor {
  return { dtype: 'I64', shape: [values.length], data: BigInt64Array.from(values.map(BigInt)) };
}

export function toCaseFolder({ index, files }: EditableFolder): CaseFolder {
  const all = new Map([...files, ['index.json', new TextEncoder().encode(JSON.stringify(index))]]);
  return { files: [...all.keys()].sort(), read: async (name) => all.get(name)! };
}

/** Runs the suite, or the cases `only`. */
export async function runFolder(
  folder: CaseFolder | EditableFolder,
  only?: readonly string[],
  engine = nativeEngine('wasm'),
): Promise<CaseOutcome[]> {
  const given = 'index' in folder ? toCaseFolder(folder) : folder;
  const outcomes: CaseOutcome[] = [];
  for await (const outcome of runSuite(given, engine, only)) outcomes.push(outcome);
  return outcomes;
}

/** `name: what: reason`, or the worst element, of each comparison that failed. */
export function listFailures(outcomes: readonly CaseOutcome[]): string[] {
  return outcomes.flatMap(({ name, comparisons }) =>
    comparisons
      .filter(({ passed }) => !passed)
      .map((comparison) => `${name}: ${comparison.what}: ${explain(comparison)}`),
  );
}

/** Expects exactly these failures. */
export async function expectFailures(
  folder: EditableFolder,
  ...expected: readonly (string | RegExp)[]
): Promise<void> {
  const failures = listFailures(await runFolder(folder));
  expect(failures).toEqual(
    expected.map((text) =>
      typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
    ),
  );
}

function explain({ reason, worst }: Comparison): string {
  if (reason !== null) return reason;
  return `${worst?.tensor}[${worst?.index.join(', ')}] expected ${worst?.expected}, found ${worst?.found}`;
}
