import { readFile } from 'node:fs/promises';
import { hasErrorCode, ReproError } from '../errors.ts';
import { parseFields } from '../formats/fields.ts';

const VERDICTS = ['reproduced', 'not-reproduced', 'inconclusive', 'not-applicable'] as const;

/** What a report says of a published claim: an entry of its claims.json. */
export interface ClaimVerdict {
  readonly id: string;
  readonly statement: string;
  readonly measured: string | null;
  readonly verdict: (typeof VERDICTS)[number];
  readonly reason: string;
}

/**
 * Reads the verdicts of a report.
 *
 * @param file claims.json
 * @throws {ReproError} `results-invalid` naming the file and the field
 */
export async function readClaimVerdicts(file: string): Promise<ClaimVerdict[]> {
  const fix = 'Make it again: npx repro run report --force';
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const problem = hasErrorCode(cause, 'ENOENT') ? 'is missing.' : `cannot be read: ${String(cause)}`;
    throw new ReproError('results-invalid', problem, { where: file, fix, cause });
  }
  const fields = parseFields(text, { file, code: 'results-invalid', fix });
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
