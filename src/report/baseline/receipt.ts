import * as v from 'valibot';
import { count, isObject, number, type Value } from '../../base/files/shape.ts';
import { formatJson, type ResultFile, readResult, refuse } from '../../results/result-file.ts';
import { type Baseline, baselinePathOf, findBaselineRun, nameRun } from './baseline.ts';
import { type ComparedValue, listResult, pairAllValues } from './digits.ts';

const findOdd = (values: object): string | undefined =>
  Object.entries(values).find(([, value]) => typeof value !== 'string' && !v.is(number, value))?.[0];

const shape = v.object({
  profile: v.pipe(v.string(), v.regex(/^[\w.-]+$/, 'the name of a profile')),
  model: v.string(),
  seed: count,
  /** How the comparison in the page ended, in words. */
  result: v.string(),
  /** The digest of plif.wasm's sources, and its compiler. */
  engine: v.string(),
  /** All that were recomputed, by name. Not `v.record`, which leaves out names such as `constructor`. */
  values: v.pipe(
    v.custom<Readonly<Record<string, number | string>>>(isObject, 'an object'),
    v.check(
      (values) => findOdd(values) === undefined,
      ({ input }) => `must have numbers and texts: ${JSON.stringify(findOdd(input))} is neither`,
    ),
  ),
  /** The browser's `navigator.userAgent`. */
  browser: v.string(),
  /** Of the processor, or `unknown`. */
  architecture: v.string(),
  /** As `Date.toISOString` writes it. */
  started: v.string(),
  seconds: number,
});

/** What the explorable page recomputed in a reader's browser. */
export type Receipt = Value<typeof shape>;

const about =
  'What a browser recomputed, for `./repro check --receipt FILE` to compare with the committed baseline. ' +
  'Anyone can write such a file, so it does not prove that a browser computed it.';

export function formatReceipt(receipt: Receipt): string {
  return formatJson({ version: 1, about, ...receipt });
}

/**
 * Compares a receipt with all values of the baseline's run.
 *
 * @param text of the receipt
 * @param read the baseline of a profile; null if there is none
 * @throws {ReproError} `receipt-invalid` naming the field: damaged, of another version, or of a run that no baseline has
 */
export async function readReceipt(
  { file, text }: Pick<ResultFile, 'file' | 'text'>,
  read: (profile: string) => Promise<Baseline | null>,
): Promise<{ receipt: Receipt; values: ComparedValue[] }> {
  const fix = 'Recompute the result on the explorable page of this version, and save its receipt again.';
  const from = { file, text, fix, code: 'receipt-invalid' };
  const receipt = readResult(from, shape);
  const baseline = await read(receipt.profile);
  const run = baseline && findBaselineRun(baseline, receipt);
  if (!run) return refuse(from, `${baselinePathOf(receipt.profile)} has no ${nameRun(receipt)}.`);
  const found = Object.entries(receipt.values).map(([name, value]) => ({ name, value }));
  const values = pairAllValues(listResult(baseline.frames, run), found);
  return { receipt, values };
}
