import path from 'node:path';
import type { FingerprintParts } from './fingerprint.ts';

/** Stands for a place that others do not have. */
const elsewhere = '(outside the project)';

/** The parts without the places of external data on this machine, which are in no fingerprint, for records that others read. */
export function withoutPlaces(parts: FingerprintParts): FingerprintParts {
  const inputs = parts.inputs.map((input) =>
    input.external && path.isAbsolute(input.path) ? { ...input, path: elsewhere } : input,
  );
  return { ...parts, inputs };
}
