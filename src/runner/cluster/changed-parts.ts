import { findDifferences } from '../freshness/differences.ts';
import type { InputTrees } from '../freshness/input-differences.ts';
import { describeDifference } from '../freshness/reasons.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';

/** The names of inputs are enough. */
const noTrees: InputTrees = { before: async () => null, now: async () => null };

/**
 * What is different now from when a job was submitted: code, packages, parameters, and inputs that were known then. Facts about the
 * machine and its Node.js are those of whoever asks, so they do not count.
 *
 * @returns one phrase for each difference; none if it is still the same work
 */
export async function findChangedParts(
  submitted: FingerprintParts,
  now: FingerprintParts,
): Promise<string[]> {
  const inputs = submitted.inputs.map((input, i) => {
    const present = now.inputs[i];
    const isUnknown = input.digest === null || present?.digest === null;
    return isUnknown && present?.path === input.path ? present : input;
  });
  const before = { ...submitted, inputs, facts: now.facts, runtime: now.runtime };
  const differences = await findDifferences(before, now, noTrees);
  return differences.map((one) => describeDifference(one).text);
}
