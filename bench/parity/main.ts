import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../src/base/errors.ts';
import { quickLlvmpipe } from '../../test/support/llvmpipe.ts';
import { ask, runParity, shareOf } from '../ask.ts';
import { findPython } from '../python.ts';

interface BenchPlaces {
  readonly args: readonly string[];
  /** For vectors. */
  readonly folder: string;
  /** Of the project. */
  readonly root: string;
}

const engines: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'tfjs-cpu': {},
  wasm: {},
  'native, SSE2': { REPRO_ISA: 'baseline' },
  'native, AVX2': { REPRO_ISA: 'avx2' },
  'native, AVX-512': { REPRO_ISA: 'avx512' },
  'webgpu, llvmpipe': { ...quickLlvmpipe, REPRO_GPU: 'llvmpipe' },
};
const seconds = 3600;

/** Prints the largest errors as shares of their tolerances on networks with other seeds, by engine, and those of wrong formulas. */
export async function main({ args: [seeds = '50'], folder, root }: BenchPlaces): Promise<void> {
  const python = findPython('torch');
  const script = `${root}bench/parity/vectors.py`;
  /** @returns the folder with the vectors of all seeds, right or with a mistake */
  const makeVectors = async (...mistake: string[]): Promise<string> => {
    const made = mkdtempSync(path.join(folder, 'vectors-'));
    await ask(python, [script, made, seeds, ...mistake], { seconds });
    return made;
  };

  printRow(['wrong formula', 'cases', 'smallest', 'median', 'largest']);
  printRow(['---', '---', '---', '---', '---']);
  const mistakes: readonly string[] = JSON.parse(await ask(python, [script], { seconds }));
  for (const mistake of mistakes) {
    const cases = await runParity(root, await makeVectors(mistake), 'wasm', { seconds });
    const sorted = cases
      .map(({ comparisons }) => Math.max(...comparisons.map(shareOf)))
      .sort((a, b) => a - b);
    const { length } = sorted;
    printRow([mistake, String(length), ...[0, length >> 1, length - 1].map((at) => format(sorted[at]!))]);
  }
  console.log();

  const right = await makeVectors();
  let quantities: string[] | undefined;
  for (const [name, env] of Object.entries(engines)) {
    const [engine = ''] = name.split(',');
    const largest = new Map<string, number>();
    try {
      for (const { comparisons } of await runParity(root, right, engine, { env, seconds })) {
        for (const comparison of comparisons) {
          const what = comparison.what.replace(/, .*/, '');
          largest.set(what, Math.max(shareOf(comparison), largest.get(what) ?? 0));
        }
      }
    } catch (error) {
      console.log(`${name}: ${messageOf(error)}`);
      continue;
    }
    if (quantities === undefined) {
      quantities = [...largest.keys()];
      printRow([`largest of ${seeds} seeds`, ...quantities]);
      printRow(['---', ...quantities.map(() => '---')]);
    }
    printRow([name, ...quantities.map((what) => format(largest.get(what) ?? Number.NaN))]);
  }
}

const format = (share: number): string => String(Number(share.toPrecision(2)));
const printRow = (cells: readonly string[]): void => console.log(`| ${cells.join(' | ')} |`);
