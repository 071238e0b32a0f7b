import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { readTextFile } from '../../base/schema/yaml-document.ts';
import { formatCount } from '../../base/text.ts';
import {
  describeJudgements,
  formatJunit,
  formatLatex,
  formatMarkdown,
  summariseVerdicts,
} from '../../report/judge/formats.ts';
import { readAnswers } from '../../verdicts/answers.ts';
import { type ClaimJudgement, judgeAnswers } from '../../verdicts/judge-claims.ts';
import { readStatedClaims } from '../../verdicts/stated-claims.ts';
import { VERDICT_TITLES, type Verdict } from '../../verdicts/verdicts.ts';
import { exitCode } from '../process/ending.ts';
import { type CheckedRow, describeChecklist } from '../view/checklist.ts';
import { colorsFor, printResult } from '../view/print.ts';

type JudgeOptions = Readonly<Partial<Record<'json' | 'junit' | 'markdown' | 'latex', boolean>>>;

/**
 * `repro judge`. Exits with 4 if a claim is not reproduced.
 *
 * @throws {ReproError} `not-judged` after all verdicts are printed, if results lack what a claim names: in CI, a renamed arm must not end a check
 */
export async function judgeResults(claims: string, results: string, options: JudgeOptions): Promise<void> {
  const stated = await readStatedClaims(claims);
  const table = readAnswers(await readTextFile(path.resolve(results), results), results);
  const judgements = judgeAnswers(stated, table);
  const isFailed = judgements.some(({ verdict }) => verdict === 'not-reproduced');
  const missed = judgements.filter(
    ({ verdict, claim }) => verdict === 'not-applicable' && claim.measure.kind !== 'untestable',
  );
  const isGood = !isFailed && missed.length === 0;
  if (options.junit) process.stdout.write(formatJunit(judgements, claims));
  else if (options.markdown) process.stdout.write(formatMarkdown(judgements));
  else if (options.latex) process.stdout.write(formatLatex(judgements, table, claims));
  else
    printResult(options, 'judge', { ok: isGood, claims: describeJudgements(judgements) }, () =>
      describeChecklist(
        { rows: judgements.map(rowOfJudgement), isGood, summary: summariseVerdicts(judgements), remedy: [] },
        colorsFor(process.stdout),
      ),
    );
  if (isFailed) process.exitCode = exitCode.differs;
  const [first] = missed;
  if (first === undefined || isFailed) return;
  throw new ReproError(
    'not-judged',
    `${formatCount(missed.length, 'claim')} of ${claims} cannot be judged by these results. ${first.claim.id}: ${first.reason}`,
    { where: results, fix: 'Correct the claim or the results, or remove the claim.' },
  );
}

const states: Readonly<Record<Verdict, CheckedRow['state']>> = {
  reproduced: 'ok',
  'not-reproduced': 'failed',
  inconclusive: 'noted',
  'reduced-scale': 'noted',
  'not-applicable': 'skipped',
};

function rowOfJudgement({ claim, verdict, measured, reason }: ClaimJudgement): CheckedRow {
  const text = measured === '' ? reason : `${measured}. ${reason}`;
  return { name: claim.id, state: states[verdict], word: VERDICT_TITLES[verdict], text };
}
