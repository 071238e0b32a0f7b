import { VERDICTS, type Verdict } from '../thesis/verdicts.ts';
import { fieldsOf, readText } from './result-text.ts';

/** What a report says of a published claim: an entry of its claims.json. */
export interface ClaimVerdict {
  readonly id: string;
  readonly statement: string;
  readonly measured: string | null;
  readonly verdict: Verdict;
  readonly reason: string;
}

/**
 * Reads the verdicts of a report.
 *
 * @param file claims.json
 * @throws {ReproError} `results-invalid` naming the file and the field
 */
export async function readClaimVerdicts(file: string): Promise<ClaimVerdict[]> {
  const fields = fieldsOf(await readText(file, 'report'));
  const version = fields.count('version');
  if (version !== 1) fields.fail('version', `is ${version}, expected 1`);
  return fields.objects('claims').map((claim) => ({
    id: claim.text('id'),
    statement: claim.text('statement'),
    measured: claim.has('measured') ? claim.text('measured') : null,
    verdict: claim.choice('verdict', VERDICTS),
    reason: claim.text('reason'),
  }));
}
