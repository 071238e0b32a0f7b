import { messageOf, ReproError } from '../../base/errors.ts';
import { isObject } from '../../base/files/shape.ts';
import { readSafetensors } from '../../formats/safetensors.ts';
import type { Engine } from '../../network/engines/engine.ts';
import { type Comparison, failComparison } from './compare.ts';
import { aedatKind, framesKind, segmentsKind } from './events.ts';
import {
  type CaseFolder,
  type CaseIndex,
  type CaseKind,
  GivenCase,
  indexFile,
  parseIndex,
  remarks,
} from './given-case.ts';
import { compareNamedParameters, compareThesisParameters } from './initial-parameters.ts';
import { networkKind } from './network.ts';
import { neuronKind } from './neuron.ts';
import { compareLearningRates, dataOrderKind, learningRatesPattern, randomKind, tiesKind } from './random.ts';

/** The results of one case; if it could not be run, a row says why. */
export interface CaseOutcome {
  readonly name: string;
  /** As described; null if the description has none. */
  readonly kind: string | null;
  readonly comparisons: readonly Comparison[];
  readonly passed: boolean;
}

/** The kinds of cases in index.json. */
const kinds: Readonly<Record<string, CaseKind>> = {
  neuron: neuronKind,
  network: networkKind,
  frames: framesKind,
  aedat: aedatKind,
  segments: segmentsKind,
  rng: randomKind,
  data_order: dataOrderKind,
  ties: tiesKind,
};

/** Other keys of index.json, for error messages. */
const extraKeys = ['cosine_lr_T_max_<n>', 'dvs128_initial_parameters', 'initial_parameters'];

/** The names that can be selected: cases and the other keys in index.json; empty if that cannot be read. */
export async function listCases(folder: CaseFolder): Promise<string[]> {
  try {
    const { cases, extras } = parseIndex(await folder.read(indexFile));
    return [...cases.keys(), ...extras.keys()];
  } catch {
    return [];
  }
}

/**
 * Runs every case of a folder, one after another. Any problem with a case makes it fail: no case is skipped, and none prevents the
 * others from running.
 *
 * @param only names of the cases to run; default all
 */
export async function* runSuite(
  folder: CaseFolder,
  engine: Engine,
  only?: readonly string[],
): AsyncGenerator<CaseOutcome> {
  const wanted = (name: string) => only === undefined || only.includes(name);
  let index: CaseIndex;
  try {
    index = parseIndex(await folder.read(indexFile));
  } catch (error) {
    yield outcomeOf(indexFile, null, [failComparison('the list of cases', explain(error))]);
    return;
  }
  if (index.cases.size === 0) {
    yield outcomeOf(indexFile, null, [failComparison('the list of cases', 'is empty')]);
  }
  for (const [name, description] of index.cases) {
    if (wanted(name)) yield await runCase(folder, engine, name, description);
  }
  for (const [name, value] of index.extras) {
    if (wanted(name)) yield await runExtra(name, value);
  }
}

async function runCase(
  folder: CaseFolder,
  engine: Engine,
  name: string,
  description: unknown,
): Promise<CaseOutcome> {
  const kind = isObject(description) && typeof description.kind === 'string' ? description.kind : null;
  return collect(name, kind, async function* () {
    if (!isObject(description)) throw new ReproError('parity-case', 'its description is not an object');
    if (kind === null) throw new ReproError('parity-case', 'its description has no kind (a string)');
    const how = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
    if (how === undefined) {
      throw new ReproError(
        'parity-case',
        `unknown kind "${kind}"; expected one of ${Object.keys(kinds).join(', ')}`,
      );
    }
    const tensors = await readTensors(folder, name);
    const given = new GivenCase(name, tensors, (file) => readFile(folder, file));
    yield* how.compare(given, description, engine);
    const untouched = given.untouched();
    if (untouched.length > 0) {
      const names = untouched.map((one) => `"${one}"`).join(', ');
      yield failComparison('other tensors', `nothing uses ${names} in a case of this kind`);
    }
  });
}

async function runExtra(name: string, value: unknown): Promise<CaseOutcome> {
  if (learningRatesPattern.test(name)) {
    return collect(name, 'learning_rates', function* () {
      yield compareLearningRates(name, value);
    });
  }
  if (name === 'dvs128_initial_parameters') {
    return collect(name, 'initial_parameters', () => compareThesisParameters(name, value));
  }
  if (name === 'initial_parameters') {
    return collect(name, 'initial_parameters', () => compareNamedParameters(name, value));
  }
  return outcomeOf(name, null, [
    failComparison(
      'the key',
      `unknown key in ${indexFile}; expected "cases" or one of ${extraKeys.join(', ')}, or as a remark ${remarks.join(', ')}`,
    ),
  ]);
}

/** All rows, plus one for an error that ended them. */
async function collect(
  name: string,
  kind: string | null,
  rows: () => AsyncIterable<Comparison> | Iterable<Comparison>,
): Promise<CaseOutcome> {
  const comparisons: Comparison[] = [];
  try {
    for await (const comparison of rows()) comparisons.push(comparison);
    if (comparisons.length === 0) comparisons.push(failComparison('the case', 'there is nothing to compare'));
  } catch (error) {
    comparisons.push(failComparison('the case', explain(error)));
  }
  return outcomeOf(name, kind, comparisons);
}

function outcomeOf(name: string, kind: string | null, comparisons: readonly Comparison[]): CaseOutcome {
  return { name, kind, comparisons, passed: comparisons.every(({ passed }) => passed) };
}

async function readTensors(folder: CaseFolder, name: string) {
  const file = `${name}.safetensors`;
  return readSafetensors(await readFile(folder, file), file).tensors;
}

async function readFile(folder: CaseFolder, file: string): Promise<Uint8Array> {
  if (!folder.files.includes(file)) {
    throw new ReproError('parity-case', `the folder has no file "${file}"`);
  }
  return folder.read(file);
}

/** An error as one line of the table: where and what. */
function explain(error: unknown): string {
  if (error instanceof ReproError && error.where !== undefined) return `${error.where}: ${error.message}`;
  return messageOf(error);
}
