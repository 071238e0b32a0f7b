import { VERDICTS } from '../thesis/verdicts.ts';
import { formatJson, parseResult, type ResultFile } from './result-file.ts';
import { choice, list, orNull, text, type Value } from './shape.ts';

const shape = {
  id: text,
  statement: text,
  /** For people; null if nothing could be measured. */
  measured: orNull(text),
  verdict: choice(VERDICTS),
  /** Why that is the verdict, a sentence. */
  reason: text,
};

/** What a report says of a published claim. */
export type ClaimVerdict = Value<typeof shape>;

/** An entry of claims.json: also where the claim is published, for programs. */
type ClaimEntry = ClaimVerdict & {
  readonly dataset: string;
  readonly source: string;
  readonly evidence: object;
  readonly published: object | null;
};

/** claims.json, with ordinary spaces. */
export function formatClaims(claims: readonly ClaimEntry[], simulated: boolean): string {
  const entries = claims.map(
    ({ id, dataset, source, evidence, statement, published, measured, verdict, reason }) => ({
      ...{ id, dataset, source, evidence, statement, published, measured, verdict, reason },
    }),
  );
  return formatJson({ version: 1, simulated, claims: entries }).replace(/[\u00a0\u202f]/g, ' ');
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readClaims(from: ResultFile): readonly ClaimVerdict[] {
  return list(shape)(parseResult(from), 'claims');
}
