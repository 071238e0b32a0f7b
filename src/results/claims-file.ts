import { VERDICTS, type Verdict } from '../thesis/verdicts.ts';
import { formatJson, parseResult, type ResultFile } from './result-file.ts';

/** What a report says of a published claim. */
export interface ClaimVerdict {
  readonly id: string;
  readonly statement: string;
  /** For people; null if nothing could be measured. */
  readonly measured: string | null;
  readonly verdict: Verdict;
  /** Why that is the verdict, a sentence. */
  readonly reason: string;
}

/** An entry of claims.json: also where the claim is published, for programs. */
interface ClaimEntry extends ClaimVerdict {
  readonly dataset: string;
  readonly source: string;
  readonly evidence: object;
  readonly published: object | null;
}

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
export function readClaims(from: ResultFile): ClaimVerdict[] {
  return parseResult(from)
    .objects('claims')
    .map((claim) => ({
      id: claim.text('id'),
      statement: claim.text('statement'),
      measured: claim.has('measured') ? claim.text('measured') : null,
      verdict: claim.choice('verdict', VERDICTS),
      reason: claim.text('reason'),
    }));
}
